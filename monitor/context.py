"""Knowledge, read from files once: what a batch is judged by, and every mistake in what people wrote."""

import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from importlib import metadata, resources
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from detectors.classify.needs import NeedTable, read_needs
from detectors.classify.recipients import RecipientIndex, read_recipients
from detectors.classify.steps import StepMap, read_steps
from detectors.register import Register, read_register

from detectors import documents
from detectors.classify.flows import Knowledge
from detectors.classify.taxonomy import Taxonomy, read_taxonomy
from detectors.consent.ledger import NoLedger
from detectors.documents import Problem
from detectors.law.pack import LawPack, read_pack
from detectors.rules.ruleset import RuleSet, compile_rules, run_tests
from monitor.config import Config, KafkaConfig, Secret
from monitor.pipeline import Context
from topics.adapters import ADAPTERS, make
from topics.flow import Place
from topics.observation import Adapter, AdapterOptions
from topics.subject import SubjectKey

VERSION = metadata.version("streaming-privacy-monitor")
_MIN_SECRET_BYTES = 16

Value = TypeVar("Value")


class ConfigProblems(Exception):
    """Mistakes in what people wrote: all that were found, each in one line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


class Shipped(msgspec.Struct, frozen=True):
    """What comes with the program, and a digest of the texts that it was made from."""

    taxonomy: Taxonomy
    needs: NeedTable
    recipients: RecipientIndex
    steps: StepMap
    digest: str


class Registered(msgspec.Struct, frozen=True):
    """The user's transfer register and a digest of its text."""

    entries: Register = Register()
    digest: str = ""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Everything read from files, checked, and ready to judge by."""

    know: Knowledge
    law: LawPack
    needs: NeedTable
    rules: RuleSet
    bundle: str
    """Digest of rules, law pack, register and what classifies: it names what judged."""
    version: str = VERSION

    @property
    def key(self) -> SubjectKey:
        """The key under which subjects are hashed."""
        return self.know.key

    def context(
        self, adapters: Mapping[str, Adapter], cluster: str, *, worker: str = "", delivery: str = "at_least_once"
    ) -> Context:
        """Give the snapshot that a batch is judged by, without a ledger: the runner puts one in for each batch."""
        return Context(
            cluster=cluster,
            know=self.know,
            law=self.law,
            needs=self.needs,
            rules=self.rules,
            ledger=NoLedger(),
            adapters=adapters,
            bundle=self.bundle,
            worker=worker,
            delivery=delivery,
        )


def read_config(file: Path) -> Config:
    """Read the configuration; paths in it are relative to its folder. Raises ConfigProblems."""
    text = _text(file)
    config, problems = documents.read(text, str(file), Config)
    if config is None:
        raise ConfigProblems(problems)
    document, _ = documents.load(text, str(file))
    problems = _unknown_adapters(config, document, str(file))
    if problems:
        raise ConfigProblems(problems)
    return _anchored(config, file.parent)


def load(config: Config, file: str = "monitor.yaml") -> Loaded:
    """Read everything that the configuration names, and what is shipped. Raises ConfigProblems with all mistakes."""
    problems: list[Problem] = []
    key = _subject_key(config, file, problems)
    register = _register(config.register_file, problems)
    law_files = {**_package_files("detectors.law", ".yaml"), **_folders(config.law, problems)}
    law = _take(problems, read_pack(law_files))
    rule_files = {**_package_files("detectors.rules.packs", ".yaml"), **_folders(config.rules, problems)}
    rules = _take(problems, compile_rules(rule_files))
    if rules is not None:
        problems += run_tests(rules)
    shipped = _shipped(problems)
    if problems or law is None or rules is None or shipped is None or key is None:
        raise ConfigProblems(sorted(problems))
    shipped = msgspec.structs.replace(shipped, steps=shipped.steps.with_paths(config.shop.steps))
    return assemble(key=key, domains=config.shop.domains, register=register, law=law, rules=rules, shipped=shipped)


def load_shipped(
    *,
    domains: Sequence[str],
    register_file: Path | None = None,
    assumed_origin: Place = Place(),  # noqa: B008 - frozen
) -> Loaded:
    """Read what is shipped alone, for captures that are judged without a configuration. Raises ConfigProblems."""
    problems: list[Problem] = []
    register = _register(register_file, problems)
    law = _take(problems, read_pack(_package_files("detectors.law", ".yaml")))
    rules = _take(problems, compile_rules(_package_files("detectors.rules.packs", ".yaml")))
    shipped = _shipped(problems)
    if problems or law is None or rules is None or shipped is None:
        raise ConfigProblems(sorted(problems))
    # Subjects of one run can be told apart; nobody can compare them with those of another.
    key = SubjectKey("once", secrets.token_bytes(32))
    return assemble(
        key=key,
        domains=domains,
        register=register,
        law=law,
        rules=rules,
        shipped=shipped,
        assumed_origin=assumed_origin,
    )


def assemble(  # noqa: PLR0913 - the parts of the whole, each by name
    *,
    key: SubjectKey,
    domains: Sequence[str],
    register: Registered,
    law: LawPack,
    rules: RuleSet,
    shipped: Shipped,
    assumed_origin: Place = Place(),  # noqa: B008 - frozen
) -> Loaded:
    """Put the parts together and name them by one digest."""
    parts = (rules.digest, law.digest, register.digest, shipped.digest)
    bundle = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    know = Knowledge(
        key=key,
        domains=frozenset(domain.lower() for domain in domains),
        recipients=shipped.recipients,
        register=register.entries,
        taxonomy=shipped.taxonomy,
        steps=shipped.steps,
        regions=law.regions,
        assumed_origin=assumed_origin,
    )
    return Loaded(know=know, law=law, needs=shipped.needs, rules=rules, bundle=bundle)


def adapters(config: Config) -> dict[str, Adapter]:
    """Make the adapter of each source topic."""
    return {
        source.topic: make(
            source.adapter,
            AdapterOptions(
                service=source.service,
                trusted_proxies=source.trusted_proxies,
                fields=source.fields,
                body=source.body,
                recipients=source.recipients,
            ),
        )
        for source in config.sources
    }


def client_settings(config: KafkaConfig, file: str = "monitor.yaml") -> dict[str, Any]:
    """Give librdkafka's settings with the secrets filled in. Raises ConfigProblems."""
    problems: list[Problem] = []
    settings: dict[str, Any] = {"bootstrap.servers": config.bootstrap_servers, **config.client}
    for name, secret in config.secrets.items():
        settings[name] = _secret(secret, file, f"kafka.secrets.{name}", problems)
    if problems:
        raise ConfigProblems(problems)
    return settings


def _subject_key(config: Config, file: str, problems: list[Problem]) -> SubjectKey | None:
    secret = _secret(config.subjects.secret, file, "subjects.secret", problems)
    if secret is None:
        return None
    if len(secret.encode()) < _MIN_SECRET_BYTES:
        problems.append(
            Problem(
                file,
                0,
                "subjects.secret",
                f"the secret is shorter than {_MIN_SECRET_BYTES} bytes; `openssl rand -hex 32` makes one",
            )
        )
        return None
    return SubjectKey(config.subjects.key_id, secret.encode())


def _secret(secret: Secret, file: str, path: str, problems: list[Problem]) -> str | None:
    if secret.env is not None:
        value = os.environ.get(secret.env)
        if not value:
            problems.append(Problem(file, 0, f"{path}.env", f"the environment has no variable {secret.env}"))
        return value or None
    try:
        return Path(secret.file or "").read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(file, 0, f"{path}.file", f"{secret.file} cannot be read ({_kind(error)})"))
        return None


def _register(file: Path | None, problems: list[Problem]) -> Registered:
    if file is None:
        return Registered()
    text = _read(file, problems)
    entries = _take(problems, read_register(text, str(file)))
    return Registered(entries or Register(), hashlib.sha256(text.encode()).hexdigest())


def _shipped(problems: list[Problem]) -> Shipped | None:
    texts = {name: _shipped_text(name) for name in ("taxonomy.yaml", "needs.yaml", "recipients.yaml", "steps.yaml")}
    taxonomy = _take(problems, read_taxonomy(*texts["taxonomy.yaml"]))
    recipients = _take(problems, read_recipients(*texts["recipients.yaml"]))
    steps = _take(problems, read_steps(*texts["steps.yaml"]))
    needs = _take(problems, read_needs(*texts["needs.yaml"], taxonomy)) if taxonomy is not None else None
    if taxonomy is None or needs is None or recipients is None or steps is None:
        return None
    digest = hashlib.sha256("\0".join(text for text, _ in texts.values()).encode()).hexdigest()
    return Shipped(taxonomy, needs, recipients, steps, digest)


def _take(problems: list[Problem], result: tuple[Value | None, list[Problem]]) -> Value | None:
    problems += result[1]
    return result[0]


def _shipped_text(name: str) -> tuple[str, str]:
    file = resources.files("detectors.classify").joinpath(name)
    return file.read_text(encoding="utf-8"), f"detectors/classify/{name}"


def _package_files(package: str, suffix: str) -> dict[str, str]:
    """Read the data files of a package and its folders, by path from the top level."""
    found: dict[str, str] = {}
    pending = [(package.replace(".", "/"), resources.files(package))]
    while pending:
        path, folder = pending.pop()
        for entry in folder.iterdir():
            if entry.is_dir():
                pending.append((f"{path}/{entry.name}", entry))
            elif entry.name.endswith(suffix):
                found[f"{path}/{entry.name}"] = entry.read_text(encoding="utf-8")
    return found


def _folders(folders: Sequence[Path], problems: list[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for folder in folders:
        if not folder.is_dir():
            problems.append(Problem(str(folder), 0, "", "there is no such folder"))
            continue
        for file in sorted(folder.rglob("*.yaml")):
            found[str(file)] = _read(file, problems)
    return found


def _read(file: Path, problems: list[Problem]) -> str:
    try:
        return _text(file)
    except ConfigProblems as error:
        problems += error.problems
        return ""


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigProblems([Problem(str(file), 0, "", f"cannot be read ({_kind(error)})")]) from None


def _kind(error: Exception) -> str:
    return error.strerror or "input error" if isinstance(error, OSError) else "not UTF-8"


def _unknown_adapters(config: Config, document: Any, file: str) -> list[Problem]:
    known = ", ".join(sorted(ADAPTERS))
    return [
        Problem(
            file,
            documents.line_of(document, ("sources", index, "adapter")),
            f"sources.{index}.adapter",
            f"unknown adapter `{source.adapter}`; there are {known}",
        )
        for index, source in enumerate(config.sources)
        if source.adapter not in ADAPTERS
    ]


def _anchored(config: Config, folder: Path) -> Config:
    secret = config.subjects.secret
    updates: dict[str, Any] = {
        "rules": tuple(folder / path for path in config.rules),
        "law": tuple(folder / path for path in config.law),
        "subjects": config.subjects.model_copy(update={"secret": _anchored_secret(secret, folder)}),
        "kafka": config.kafka.model_copy(
            update={"secrets": {name: _anchored_secret(each, folder) for name, each in config.kafka.secrets.items()}}
        ),
    }
    if config.register_file is not None:
        updates["register_file"] = folder / config.register_file
    if config.consent is not None:
        updates["consent"] = config.consent.model_copy(update={"path": folder / config.consent.path})
    return config.model_copy(update=updates)


def _anchored_secret(secret: Secret, folder: Path) -> Secret:
    return secret if secret.file is None else secret.model_copy(update={"file": folder / secret.file})

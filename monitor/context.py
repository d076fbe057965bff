"""Knowledge, read from files once: what a batch is judged by, and every mistake in what people wrote."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import msgspec

from detectors.classify.gate import Gate
from detectors.classify.goods import GoodsReader
from detectors.classify.knowledge import Knowledge
from detectors.classify.needs import NeedTable, read_needs
from detectors.classify.origin import NoAddresses, PlaceOfAddress
from detectors.classify.places import CloudRegions
from detectors.classify.ranges import CloudRanges
from detectors.classify.recipients import RecipientIndex, read_recipients
from detectors.classify.steps import StepMap, read_steps
from detectors.classify.taxonomy import Taxonomy, read_taxonomy
from detectors.classify.third_party_web import behind
from detectors.consent.ledger import NoLedger
from detectors.documents import Problem
from detectors.drift import Baseline, EndpointNames
from detectors.exemptions import NO_EXEMPTIONS, Exemptions, read_exemptions
from detectors.law.pack import LawPack, read_pack
from detectors.register import Register, read_register
from detectors.rules.ruleset import RuleSet
from detectors.verdicts import Verdicts
from monitor.config import Config
from monitor.decided import read_decided, read_types
from monitor.files import (
    ConfigProblems,
    client_settings,
    folders,
    mistake,
    package_files,
    read_config,
    read_secret,
    read_text,
    shipped_text,
)
from monitor.kafka import KafkaProblem, check_settings
from monitor.optional import Optional, read_optional
from monitor.pipeline import Context
from monitor.rule_files import compile_checked, overlaid, read_files, rule_texts, shipped_rules
from monitor.second_tier import missing_for, presidio_tier
from monitor.secret import Secret
from topics.adapters import make
from topics.bundle import NO_BUNDLE, Bundle
from topics.canary import CANARY_ADAPTER, CANARY_SERVICE
from topics.catalog import CANARY, RULES
from topics.flow import Place
from topics.observation import Adapter, AdapterOptions
from topics.sealing import Seal
from topics.subject import SubjectKey

VERSION = metadata.version("streaming-privacy-monitor")
_MIN_SECRET_BYTES = 16

Value = TypeVar("Value")


class Shipped(msgspec.Struct, frozen=True):
    """What comes with the program, and a digest of the texts that it was made from."""

    taxonomy: Taxonomy
    needs: NeedTable
    recipients: RecipientIndex
    steps: StepMap
    digest: str
    goods: GoodsReader = GoodsReader()
    baseline: Baseline | None = None
    addresses: PlaceOfAddress = NoAddresses()
    ranges: CloudRanges | None = None
    """Places of the clouds' addresses."""


class Registered(msgspec.Struct, frozen=True):
    """The user's transfer register and a digest of its text."""

    entries: Register = Register()
    digest: str = ""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Everything read from files, checked, and ready to judge by."""

    know: Knowledge
    law: LawPack
    needs: NeedTable
    baseline: Baseline | None = None
    rules: RuleSet
    exemptions: Exemptions
    seal: Seal | None = None
    """Key of the bytes of dead letters."""
    others: tuple[str, ...]
    """Digests of law pack, register and what classifies."""
    bundle: str
    """Digest of rules, exceptions, law pack, register and what classifies: it names what judged."""
    version: str = VERSION

    @property
    def key(self) -> SubjectKey:
        """The key under which subjects are hashed."""
        return self.know.key

    def context(
        self,
        adapters: Mapping[str, Adapter],
        cluster: str,
        *,
        worker: str = "",
        delivery: str = "at_least_once",
        anew: Mapping[str, str] | None = None,
    ) -> Context:
        """Give the snapshot that a batch is judged by, without a ledger: the runner puts one in for each batch."""
        return Context(
            cluster=cluster,
            know=self.know,
            law=self.law,
            needs=self.needs,
            baseline=self.baseline,
            rules=self.rules,
            ledger=NoLedger(),
            adapters=adapters,
            bundle=self.bundle,
            exemptions=self.exemptions,
            seal=self.seal,
            gate=Gate(self.know, has_baseline=self.baseline is not None),
            verdicts=Verdicts(self, self.rules, self.baseline),
            worker=worker,
            delivery=delivery,
            anew=anew or {},
        )

    def judged_by(self, rules: RuleSet, exemptions: Exemptions) -> "Loaded":
        """Give the same knowledge with other rules and exceptions, under the digest that names them together."""
        bundle = _bundle(rules, exemptions, self.others)
        return msgspec.structs.replace(self, rules=rules, exemptions=exemptions, bundle=bundle)

    def under(self, law: LawPack) -> "Loaded":
        """Give the same knowledge under another law; `judged_by` then names it by its digest."""
        know = msgspec.structs.replace(self.know, regions=law.regions)
        return msgspec.structs.replace(self, know=know, law=law, others=(law.digest, *self.others[1:]))


def other_law(config: Config, file: str, paths: Sequence[Path], problems: list[Problem]) -> LawPack:
    """Read the law pack with other files in place of those of the same name. Raises ConfigProblems with all mistakes."""
    law_files = {**package_files("detectors.law", ".yaml"), **folders(config.law, file, "law", problems)}
    others = read_files(paths, problems)
    names = {Path(name).name for name in others}
    kept = {name: text for name, text in law_files.items() if Path(name).name not in names}
    law, found = read_pack({**kept, **others})
    if law is None or problems:
        raise ConfigProblems(sorted([*problems, *found]))
    return law


def load_all(config: Path) -> tuple[Config, Loaded, dict[str, object]]:
    """Read the configuration and all that it names, with Kafka's settings. Raises ConfigProblems with all mistakes."""
    settings = read_config(config)
    problems: list[Problem] = []
    kafka: dict[str, object] = {}
    try:
        kafka = client_settings(settings.kafka, str(config))
        check_settings(kafka)
    except ConfigProblems as error:
        problems += error.problems
    except KafkaProblem as error:
        problems.append(mistake(str(config), ("kafka", "client"), str(error).removeprefix("kafka.client: ")))
    try:
        loaded = load(settings, str(config))
    except ConfigProblems as error:
        problems += error.problems
    if problems:
        raise ConfigProblems(sorted(problems))
    return settings, loaded, kafka


def load(config: Config, file: str = "monitor.yaml", bundle: Bundle = NO_BUNDLE) -> Loaded:
    """Read everything that the configuration names, and what is shipped. Raises ConfigProblems with all mistakes.

    The rules and exceptions of a `bundle` stand over those of the files.
    """
    problems: list[Problem] = []
    key = _subject_key(config, file, problems)
    seal = _seal(config, file, problems)
    register = _register(config.register_file, mistake(file, ("register",), ""), problems)
    law_files = {**package_files("detectors.law", ".yaml"), **folders(config.law, file, "law", problems)}
    law = _take(problems, _pack(tuple(law_files.items())))
    rules = _take(problems, compile_checked(overlaid(rule_texts(config, file, problems), _inside(bundle.rules)), law))
    exempting = {
        **package_files("detectors.rules.exemptions", ".yaml"),
        **folders(config.exemptions, file, "exemptions", problems),
    }
    replaced = {Path(name).name for name in bundle.exemptions}
    exempting = {name: text for name, text in exempting.items() if Path(name).name not in replaced}
    exempting |= _inside(bundle.exemptions)
    exemptions = _take(problems, read_exemptions(exempting, rules)) if rules is not None else None
    shipped = _shipped(problems)
    optional = read_optional(config, file, law.regions if law is not None else CloudRegions(), problems)
    decided = None
    if shipped is not None:
        steps = shipped.steps.with_own(config.shop.steps) if config.shop.steps else shipped.steps
        taxonomy, digest = read_types(config, file, shipped.taxonomy, problems)
        if config.second_tier is not None:
            problems += missing_for(config.second_tier, mistake(file, ("second_tier",), ""))
            taxonomy = taxonomy.with_second_tier(presidio_tier(config.second_tier))
        shipped = msgspec.structs.replace(shipped, steps=steps, taxonomy=taxonomy, digest=shipped.digest + digest)
        names = EndpointNames(shipped.taxonomy.keys, steps.words)
        decided = read_decided(config, file, shipped.needs, shipped.taxonomy, names, problems)
    if (
        problems
        or law is None
        or rules is None
        or exemptions is None
        or shipped is None
        or key is None
        or decided is None
    ):
        raise ConfigProblems(sorted(problems))
    shipped = msgspec.structs.replace(
        shipped,
        needs=decided.needs,
        goods=decided.goods,
        baseline=decided.baseline,
        recipients=_with(shipped.recipients, optional),
        addresses=optional.addresses,
        ranges=optional.ranges,
        digest=shipped.digest + optional.digest + decided.digest,
    )
    loaded = assemble(key=key, domains=config.shop.domains, register=register, law=law, rules=rules, shipped=shipped)
    return msgspec.structs.replace(loaded.judged_by(rules, exemptions), seal=seal)


def _with(shipped: RecipientIndex, optional: Optional) -> RecipientIndex:
    index = behind(shipped, optional.recipients) if optional.recipients else shipped
    return index.with_lists(optional.lists) if optional.lists else index


def _inside(files: Mapping[str, str]) -> dict[str, str]:
    """Give the files of a bundle under a name that says where they come from."""
    return {f"{RULES.name}/{name}": text for name, text in files.items()}


def load_shipped(
    *,
    domains: Sequence[str],
    register_file: Path | None = None,
    assumed_origin: Place = Place(),  # noqa: B008 - frozen
) -> Loaded:
    """Read what is shipped alone, for captures that are judged without a configuration. Raises ConfigProblems."""
    problems: list[Problem] = []
    register = _register(register_file, Problem("--register", 0, "", ""), problems)
    law = _take(problems, _pack(tuple(package_files("detectors.law", ".yaml").items())))
    rules = _take(problems, compile_checked(shipped_rules(), law))
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
    others = (law.digest, register.digest, shipped.digest)
    know = Knowledge(
        key=key,
        domains=frozenset(domain.lower() for domain in domains),
        recipients=shipped.recipients,
        register=register.entries,
        has_register=bool(register.digest),
        taxonomy=shipped.taxonomy,
        steps=shipped.steps,
        goods=shipped.goods,
        regions=msgspec.structs.replace(law.regions, ranges=shipped.ranges) if shipped.ranges else law.regions,
        addresses=shipped.addresses,
        assumed_origin=assumed_origin,
    )
    return Loaded(
        know=know,
        law=law,
        needs=shipped.needs,
        baseline=shipped.baseline,
        rules=rules,
        exemptions=NO_EXEMPTIONS,
        others=others,
        bundle=_bundle(rules, NO_EXEMPTIONS, others),
    )


def _bundle(rules: RuleSet, exemptions: Exemptions, others: Sequence[str]) -> str:
    parts = (rules.digest, exemptions.digest, *others)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def adapters(config: Config) -> dict[str, Adapter]:
    """Make the adapter of each topic that is judged: the sources, and the canary's."""
    made = {
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
    if config.canary:
        made[CANARY.name] = make(CANARY_ADAPTER, AdapterOptions(service=CANARY_SERVICE))
    return made


def _subject_key(config: Config, file: str, problems: list[Problem]) -> SubjectKey | None:
    secret = _long_secret(config.subjects.secret, file, "subjects", problems)
    return SubjectKey(config.subjects.key_id, secret) if secret is not None else None


def _seal(config: Config, file: str, problems: list[Problem]) -> Seal | None:
    if config.dead_letters is None:
        return None
    secret = _long_secret(config.dead_letters.secret, file, "dead_letters", problems)
    return Seal(config.dead_letters.key_id, secret) if secret is not None else None


def _long_secret(kept: Secret, file: str, where: str, problems: list[Problem]) -> bytes | None:
    secret = read_secret(kept, file, (where, "secret"), problems)
    if secret is None:
        return None
    if len(secret.encode()) < _MIN_SECRET_BYTES:
        message = f"the secret is shorter than {_MIN_SECRET_BYTES} bytes; `openssl rand -hex 32` makes one"
        problems.append(mistake(file, (where, "secret"), message))
        return None
    return secret.encode()


def _register(file: Path | None, named: Problem, problems: list[Problem]) -> Registered:
    if file is None:
        return Registered()
    try:
        text = read_text(file)
    except OSError as error:
        problems.append(named._replace(message=f"{file} cannot be read ({error.strerror})"))
        return Registered()
    entries = _take(problems, read_register(text, str(file)))
    return Registered(entries or Register(), hashlib.sha256(text.encode()).hexdigest())


def _shipped(problems: list[Problem]) -> Shipped | None:
    shipped, found = _tables()
    problems += found
    return shipped


@lru_cache(maxsize=2)
def _pack(files: tuple[tuple[str, str], ...]) -> tuple[LawPack | None, list[Problem]]:
    """Read a law pack; the same texts give the same value, so that changed rules alone are loaded quickly."""
    return read_pack(dict(files))


@cache
def _tables() -> tuple[Shipped | None, list[Problem]]:
    """Read the shipped tables, once: they do not change while the program runs."""
    problems: list[Problem] = []
    names = ("taxonomy.yaml", "words.yaml", "needs.yaml", "recipients.yaml", "companies.yaml", "steps.yaml")
    texts = {name: shipped_text(name) for name in names}
    taxonomy = _take(problems, read_taxonomy(*texts["taxonomy.yaml"], *texts["words.yaml"]))
    recipients = _take(problems, read_recipients(*texts["recipients.yaml"], *texts["companies.yaml"]))
    steps = _take(problems, read_steps(*texts["steps.yaml"]))
    needs = _take(problems, read_needs(*texts["needs.yaml"], taxonomy)) if taxonomy is not None else None
    if taxonomy is None or needs is None or recipients is None or steps is None:
        return None, problems
    digest = hashlib.sha256("\0".join(text for text, _ in texts.values()).encode()).hexdigest()
    return Shipped(taxonomy, needs, recipients, steps, digest), problems


def _take(problems: list[Problem], result: tuple[Value | None, list[Problem]]) -> Value | None:
    problems += result[1]
    return result[0]

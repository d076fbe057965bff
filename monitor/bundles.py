"""Bundles of rules on `privacy.rules.v1`: published as a whole, followed by workers, the newest of a name."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from detectors.documents import Problem
from detectors.exemptions import read_exemptions
from detectors.law.pack import LawPack
from monitor.config import Config
from monitor.files import ConfigProblems, folders
from monitor.kafka import LogReader, Settings, Writer, require_topics
from monitor.rule_files import compile_checked, overlaid, own_rules, read_rules, shipped_rules
from topics.bundle import MAX_BYTES, Bundle
from topics.catalog import RULES
from topics.record import Outgoing

_POLL_SECONDS = 0.05
_MOST_POLLED = 100


class BrokenBundle(msgspec.Struct, frozen=True):
    """A record that is no bundle. Says why, and nothing of what it holds."""

    offset: int
    reason: str


class BundleReader:
    """Follows the bundles of one name, in the order of the topic."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._name = name
        self._reader = LogReader(settings, [RULES.name])
        self._decoder = msgspec.json.Decoder(Bundle)

    def newest(self) -> Bundle | BrokenBundle | None:
        """Give the newest bundle that came since it was last asked; None when there was none."""
        found: Bundle | BrokenBundle | None = None
        while records := self._reader.poll(_MOST_POLLED, _POLL_SECONDS):
            for record in records:
                if record.key == self._name.encode() and record.value is not None:
                    found = self._read(record.offset, record.value)
        return found

    def catch_up(self) -> Bundle | BrokenBundle | None:
        """Read to the end that the topic has now, and give the newest bundle."""
        ends = self._reader.ends(queried=True) or {}
        found = self.newest()
        while any(self._reader.reached.get(place, 0) < end for place, end in ends.items()):
            found = self.newest() or found
        return found

    def close(self) -> None:
        """Let go of the broker."""
        self._reader.close()

    def _read(self, offset: int, value: bytes) -> Bundle | BrokenBundle:
        try:
            bundle = self._decoder.decode(value)
        except (ValueError, RecursionError):
            return BrokenBundle(offset, "the record is no bundle")
        return bundle if bundle.is_whole else BrokenBundle(offset, "its files are not those of its digest")


def gathered(config: Config, file: str, law: LawPack, name: str, paths: Sequence[Path]) -> Bundle:
    """Put own rules (those of `paths` over those of the configuration) and exceptions into a bundle, if all is sound.

    Raises ConfigProblems with every mistake.
    """
    problems: list[Problem] = []
    own = overlaid(own_rules(config, file, problems), read_rules(paths, problems) if paths else {})
    ruleset, found = compile_checked(overlaid(shipped_rules(), own), law)
    excused = folders(config.exemptions, file, "exemptions", problems)
    exemptions, wrong = read_exemptions(excused, ruleset) if ruleset is not None else (None, [])
    if problems or found or wrong or ruleset is None or exemptions is None:
        raise ConfigProblems(sorted([*problems, *found, *wrong]))
    shipped = shipped_rules()
    bundle = Bundle.of(
        name,
        {_within(each): text for each, text in own.items() if each not in shipped},
        {_within(each): text for each, text in excused.items()},
    )
    size = len(msgspec.json.encode(bundle))
    if size > MAX_BYTES:
        raise ConfigProblems(
            [Problem(file, 0, "rules", f"a bundle of {size} bytes is more than {MAX_BYTES}; split it")]
        )
    return bundle


def publish(settings: Settings, bundle: Bundle) -> None:
    """Write a bundle to the topic, and wait until the broker has it. Raises KafkaProblem and DeliveryFailed."""
    require_topics(settings, [RULES.name])
    Writer(settings).send([Outgoing(RULES.name, bundle.name.encode(), msgspec.json.encode(bundle))])


def _within(file: str) -> str:
    """Give the last folder and the name: all that a rule's place says."""
    return "/".join(Path(file).parts[-2:])

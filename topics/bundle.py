"""Rules and exceptions that all workers judge by: the record of `privacy.rules.v1`."""

import hashlib
from collections.abc import Mapping
from typing import Self

import msgspec

MAX_BYTES = 900_000
"""Of a bundle on the topic: brokers take a megabyte unless they are told otherwise."""


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """Files as people wrote them. They stand over the files that a configuration names, as a folder of own rules would."""

    schema: str = "privacy.rules.v1"
    name: str
    """The record's key too: the newest record of a name counts."""
    rules: dict[str, str]
    """Rule files, manifests and (empty) runbooks, by path within the bundle: `acme/acme.session-replay.yaml`."""
    exemptions: dict[str, str]
    digest: str
    """SHA-256 (hex) over the names and texts of all files."""

    @classmethod
    def of(cls, name: str, rules: Mapping[str, str], exemptions: Mapping[str, str]) -> Self:
        """Make a bundle with its digest."""
        return cls(name=name, rules=dict(rules), exemptions=dict(exemptions), digest=digest(rules, exemptions))

    @property
    def is_whole(self) -> bool:
        """Whether the files are those that its digest was made of."""
        return self.digest == digest(self.rules, self.exemptions)


def digest(rules: Mapping[str, str], exemptions: Mapping[str, str]) -> str:
    """Give the digest of files, whatever their order."""
    made = hashlib.sha256()
    for kind, files in (("rules", rules), ("exemptions", exemptions)):
        for name, text in sorted(files.items()):
            for part in (kind, name, text):
                encoded = part.encode("utf-8", "surrogatepass")
                made.update(b"%d:" % len(encoded) + encoded)
    return made.hexdigest()


NO_BUNDLE = Bundle.of("", {}, {})
"""Where none is followed."""

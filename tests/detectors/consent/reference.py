"""What the verdict on a disclosure must be, written as plainly as it can be said and with nothing of the monitor's code.

Slow on purpose: it looks at every choice that was ever made, anew for each disclosure.
"""

from dataclasses import dataclass

Identifier = tuple[str, str]
"""Kind and value."""


@dataclass(frozen=True)
class Chosen:
    """Somebody chose something at a moment, and the broker heard of it at another."""

    made_at: int
    heard_at: int
    by: frozenset[Identifier]
    granted: frozenset[str]
    refused: frozenset[str]
    after_notice: bool
    number: int
    """Its place in the topic."""


@dataclass(frozen=True)
class Linked:
    """Two identifiers were seen together."""

    heard_at: int
    one: Identifier
    other: Identifier


@dataclass(frozen=True)
class Erased:
    """What was on record of an identifier was taken out."""

    heard_at: int
    of: Identifier
    number: int
    """Its place in the topic."""


@dataclass(frozen=True)
class Disclosed:
    """Data went to somebody, and was judged later."""

    happened_at: int
    judged_at: int
    of: frozenset[Identifier]
    purpose: str
    place: str
    """`DE` (consent comes first), `US-CA` (one may refuse), `BR-none` (no law), or nothing."""
    sent_gpc: bool
    string: str
    """What a US Privacy string on the record says: `denied`, `allowed`, or nothing."""


def verdict(  # noqa: C901 - the whole of it, from top to bottom
    chosen: list[Chosen], linked: list[Linked], erased: list[Erased], disclosed: Disclosed
) -> tuple[str, str]:
    """Give the decision, and what decided it."""
    if disclosed.purpose == "payment":
        return "allowed", "not-governed"
    person = _person(linked, disclosed)
    gone = [each for each in erased if each.of in person and each.heard_at <= disclosed.judged_at]
    forgotten = any(disclosed.happened_at < each.heard_at for each in gone)
    last = None if forgotten else _last_word(chosen, gone, person, disclosed)
    about_selling = disclosed.purpose in {"advertising.targeted", "social"}
    if disclosed.sent_gpc and about_selling and disclosed.place != "DE":
        # Only who was asked about this very purpose, and told of the conflict, has taken the signal back.
        named = last is not None and _covered(disclosed.purpose, last.granted - {"*"})
        if last is not None and named and last.after_notice and not _refuses(last, disclosed.purpose):
            return "allowed", "ledger"
        return "denied", "gpc"
    string = disclosed.string if about_selling and disclosed.place == "US-CA" else ""
    if last is not None and _refuses(last, disclosed.purpose):
        return "denied", "ledger"
    if string == "denied":
        return "denied", "usp"
    if forgotten:
        return "unknown", "none"
    if last is not None:
        return "allowed", "ledger"
    if string == "allowed":
        return "allowed", "usp"
    if not disclosed.place:
        return "unknown", "none"
    if disclosed.place != "DE":
        return "allowed", "default"
    return ("denied", "default") if disclosed.of else ("unknown", "none")


def _last_word(
    chosen: list[Chosen], gone: list[Erased], person: frozenset[Identifier], disclosed: Disclosed
) -> Chosen | None:
    """Find the choice in force: the last that had been made by then, had been heard of, and speaks of the purpose.

    It counts as long as one identifier of the person remembers it.
    """
    speaking = [
        each
        for each in chosen
        if any(_remembers(identifier, each, gone) for identifier in each.by & person)
        and each.made_at <= disclosed.happened_at
        and each.heard_at <= disclosed.judged_at
        and (_refuses(each, disclosed.purpose) or _covered(disclosed.purpose, each.granted))
    ]
    if not speaking:
        return None
    newest = max(each.made_at for each in speaking)
    at_once = [each for each in speaking if each.made_at == newest]
    refusals = [each for each in at_once if _refuses(each, disclosed.purpose)]
    return max(refusals or at_once, key=lambda each: each.number)


def _remembers(identifier: Identifier, choice: Chosen, gone: list[Erased]) -> bool:
    """Say whether an identifier still holds a choice: what was made before the erasure is gone, however late it came."""
    return not any(
        each.of == identifier and (choice.made_at, choice.number) < (each.heard_at, each.number) for each in gone
    )


def _person(linked: list[Linked], disclosed: Disclosed) -> frozenset[Identifier]:
    """Give the identifiers of the person: those of the record, and those seen with one of them.

    Where one was seen with several users, it belongs to a shared device, and none of those users is meant.
    """
    known = [link for link in linked if link.heard_at <= disclosed.judged_at]
    person = set(disclosed.of)
    for each in disclosed.of:
        partners = {link.other for link in known if link.one == each} | {
            link.one for link in known if link.other == each
        }
        users = {partner for partner in partners if partner[0] == "user_id"}
        person |= partners - users if len(users) > 1 else partners
    return frozenset(person)


def _refuses(choice: Chosen, purpose: str) -> bool:
    return _covered(purpose, choice.refused)


def _covered(purpose: str, words: frozenset[str]) -> bool:
    """Say whether one of these words is the purpose, one that it is a part of, or the star that means all."""
    parts = purpose.split(".")
    above = {".".join(parts[: length + 1]) for length in range(len(parts))}
    return bool(words & (above | {"*"}))

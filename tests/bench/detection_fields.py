"""Precision and recall of fields of personal data, over distinct (destination, path, category): as labelled, and adjudicated.

Labels of other projects miss fields and name some wrongly. `adjudicated.yaml` says of each such field, by path alone, what a reader
decided and why; the figures stand beside those that the labels give.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from detectors.classify.fields import Budget, find_fields
from detectors.classify.taxonomy import Taxonomy, read_taxonomy
from topics.observation import Media, Part

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "email": ("user.contact.email",),
    "email_hashed": ("user.contact.email.hashed",),
    "phone": ("user.contact.phone_number", "user.contact.fax_number"),
    "phone_hashed": ("user.contact.phone_number.hashed",),
    "person_name": ("user.name",),
    "postal_address": ("user.contact.address.street",),
    "postal_code": ("user.contact.address.postal_code",),
    "city": ("user.contact.address.city",),
    "state_region": ("user.contact.address.state",),
    "ip_address": ("user.device.ip_address",),
    "precise_location": ("user.location.precise",),
    "advertising_id": ("user.device.advertising_id",),
    "device_id": ("user.device.device_id",),
    "cookie_or_visitor_id": ("user.device.cookie_id",),
    "account_id": ("user.unique_id",),
    "click_id": ("user.unique_id.click_id",),
    "date_of_birth": ("user.demographic.date_of_birth",),
    "age": ("user.demographic.age", "user.demographic.age_range"),
    "gender": ("user.demographic.gender",),
    "username": ("user.account.username",),
    "user_agent": ("user.device",),
    "payment_card_number": ("user.financial.credit_card.number",),
    "card_security_code": ("user.financial.credit_card.security_code",),
    "card_expiry": ("user.financial.credit_card.expiry",),
    "credential": ("user.authorization.credentials", "system.credentials"),
}
"""Our categories for each label. What the labels have no word for (country, employer, bank account) is not scored."""
_LABEL_OF = {ours: label for label, several in CATEGORIES.items() for ours in several}
_INDEX = re.compile(r"\[\d*\]")
_MEMBER = re.compile(r"\[([A-Za-z_]\w*)\]")
_MEDIA = {"json": Media.JSON, "form": Media.FORM}
Unit = tuple[str, str, str]
"""Destination or record, path, label."""
Found = set[Unit]
FILES = (
    "segment_events",
    "segment_outbound",
    "shopify_objects",
    "tax_shipping_requests",
    "payment_requests",
    "jitsu_events",
)


class Adjudged(NamedTuple):
    """What a reader decided about one file."""

    right: frozenset[Unit]
    """Found, not labelled, and right."""
    wrong_label: frozenset[Unit]
    """Labelled, and nothing of that kind."""


def report(folder: Path) -> None:
    """Print the figures of each file, and recall by category."""
    _say(f"\n{'fields':<24} {'':<12} {'labels':>7} {'found':>7} {'hit':>6} {'prec.':>6} {'recall':>6}")
    hits: Counter[str] = Counter()
    all_of: Counter[str] = Counter()
    fair_hits: Counter[str] = Counter()
    fair_all: Counter[str] = Counter()
    for name in FILES:
        file = folder / f"{name}.jsonl"
        if not file.is_file():
            _say(f"{file.name}: not there, skipped")
            continue
        labelled, found = _sets(file)
        adjudged = adjudication(name)
        fair = (labelled - adjudged.wrong_label) | (adjudged.right & found)
        _row(name, "as labelled", labelled, found)
        _row("", "adjudicated", fair, found)
        for stale in sorted((adjudged.right - found) | (adjudged.wrong_label - labelled)):
            _say(f"    adjudicated, and not there any more: {' | '.join(stale)}")
        for unit in sorted((adjudged.right & labelled) | (adjudged.wrong_label & found)):
            _say(f"    adjudicated against label and finding alike: {' | '.join(unit)}")
        hits.update(category for _, _, category in labelled & found)
        all_of.update(category for _, _, category in labelled)
        fair_hits.update(category for _, _, category in fair & found)
        fair_all.update(category for _, _, category in fair)
    _say("by category, as labelled (hit/labelled): " + _ratios(hits, all_of))
    _say("by category, adjudicated: " + _ratios(fair_hits, fair_all))


def adjudication(name: str) -> Adjudged:
    """Read what was decided about a file."""
    with Path(__file__).with_name("adjudicated.yaml").open(encoding="utf-8") as lines:
        read = YAML(typ="safe", pure=True).load(lines)

    def units(groups: Iterable[Mapping[str, Any]]) -> Iterator[Unit]:
        for group in groups:
            for source, listed in group.get(name, {}).items():
                for each in listed:
                    path, _, label = each.rpartition(" ")
                    yield source, path, label

    return Adjudged(frozenset(units(read["right"])), frozenset(units(read["wrong_label"])))


def _row(name: str, which: str, labelled: Found, found: Found) -> None:
    both = labelled & found
    _say(
        f"{name:<24} {which:<12} {len(labelled):>7} {len(found):>7} {len(both):>6} "
        f"{len(both) / max(len(found), 1):>6.3f} {len(both) / max(len(labelled), 1):>6.3f}"
    )


def _ratios(hits: Counter[str], all_of: Counter[str]) -> str:
    return ", ".join(f"{category} {hits[category]}/{times}" for category, times in all_of.most_common())


def _say(line: str) -> None:
    print(line)  # noqa: T201 - a benchmark reports


def _sets(file: Path) -> tuple[Found, Found]:
    labelled: Found = set()
    found: Found = set()
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            name = str(row.get("destination", {}).get("name") or row.get("object") or "")
            if "body_format" in row:
                name = row["id"]
            labelled.update(
                (name, _shown(_normal(each["path"])), _label(each["category"]))
                for each in row["labels"]["pii"] or ()
                if _label(each["category"]) in CATEGORIES
            )
            found.update((name, path, category) for path, category in _found(row))
    return labelled, found


def _found(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    body = row.get("event", row.get("body"))
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    media = _MEDIA.get(row.get("body_format", "json"), Media.TEXT)
    for field in find_fields(Part("", data, media), Budget(), shipped_taxonomy()).fields:
        label = _LABEL_OF.get(field.category)
        if label:
            yield _normal(field.path), label


def _label(category: str) -> str:
    """Give the label without the mark of a hash, where a hash of it is no category of its own."""
    return category if category in CATEGORIES else category.removesuffix("_hashed")


def _normal(path: str) -> str:
    bare = path.replace(".<json>", "").replace("<json>", "").replace("/", ".").replace("@", "")
    return _INDEX.sub("[]", _MEMBER.sub(r".\1", bare)).lstrip(".")


def _shown(path: str) -> str:
    """Hide the names of a labelled path as findings hide them."""
    read = shipped_taxonomy().keys.read
    words = (word.partition("[]") for word in path.split("."))
    return ".".join((read(name).word if name else "") + fold + rest for name, fold, rest in words)


@cache
def shipped_taxonomy() -> Taxonomy:
    """Read the taxonomy that the package ships, once."""
    names = ("taxonomy.yaml", "words.yaml")
    text, words = (files("detectors.classify").joinpath(name).read_text("utf-8") for name in names)
    taxonomy, problems = read_taxonomy(text, names[0], words, names[1])
    if taxonomy is None:
        raise SystemExit("\n".join(map(str, problems)))
    return taxonomy

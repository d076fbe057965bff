"""Precision and recall of fields of personal data, over distinct (destination, path, category)."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

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
    "credential": ("user.authorization.credentials",),
}
"""Our categories for each label. What the labels have no word for (country, employer, bank account) is not scored."""
_LABEL_OF = {ours: label for label, several in CATEGORIES.items() for ours in several}
_INDEX = re.compile(r"\[\d*\]")
_MEMBER = re.compile(r"\[([A-Za-z_]\w*)\]")
_MEDIA = {"json": Media.JSON, "form": Media.FORM}
Found = set[tuple[str, str, str]]


def report(folder: Path) -> None:
    """Print the figures of each file, and recall by category."""
    head = f"{'fields':<28} {'labels':>7} {'found':>7} {'hit':>6} {'prec.':>6} {'recall':>6}"
    print(f"\n{head}")  # noqa: T201 - a benchmark reports
    hits: Counter[str] = Counter()
    all_of: Counter[str] = Counter()
    for name in (
        "segment_events",
        "segment_outbound",
        "shopify_objects",
        "tax_shipping_requests",
        "payment_requests",
        "jitsu_events",
    ):
        file = folder / f"{name}.jsonl"
        if not file.is_file():
            print(f"{file.name}: not there, skipped")  # noqa: T201 - a benchmark reports
            continue
        labelled, found = _sets(file)
        both = labelled & found
        print(  # noqa: T201 - a benchmark reports
            f"{name:<28} {len(labelled):>7} {len(found):>7} {len(both):>6} "
            f"{len(both) / max(len(found), 1):>6.3f} {len(both) / max(len(labelled), 1):>6.3f}"
        )
        hits.update(category for _, _, category in both)
        all_of.update(category for _, _, category in labelled)
    missed = {category: f"{hits[category]}/{times}" for category, times in all_of.most_common()}
    print("by category (hit/labelled): " + ", ".join(f"{k} {v}" for k, v in missed.items()))  # noqa: T201 - a benchmark


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
                (name, _shown(_normal(each["path"])), each["category"])
                for each in row["labels"]["pii"] or ()
                if each["category"] in CATEGORIES
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

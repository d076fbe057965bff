"""What a shop decided and learned about its own purchase: needs over the shipped table, goods, and a baseline of its endpoints."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from detectors.classify.goods import GoodsReader
from detectors.classify.needs import NeedTable
from detectors.classify.own_needs import read_overrides
from detectors.classify.own_types import read_own_types
from detectors.classify.taxonomy import Taxonomy
from detectors.documents import Problem
from detectors.drift import Baseline, EndpointNames, read_baseline
from monitor.config import Config
from monitor.files import mistake, read_text

Value = TypeVar("Value")


class Decided(msgspec.Struct, frozen=True):
    """The parts, ready to judge by, and a digest of what they were made from; empty where the shop said nothing."""

    needs: NeedTable
    goods: GoodsReader = GoodsReader()
    baseline: Baseline | None = None
    digest: str = ""


def read_decided(
    config: Config, file: str, needs: NeedTable, taxonomy: Taxonomy, names: EndpointNames, problems: list[Problem]
) -> Decided:
    """Read what the configuration says and names, with all mistakes."""
    texts: list[str] = []
    overrides = _read(
        config.needs,
        mistake(file, ("needs",), ""),
        lambda text, name: read_overrides(text, name, needs, taxonomy.categories),
        texts,
        problems,
    )
    baseline = _read(
        config.baseline,
        mistake(file, ("baseline",), ""),
        lambda text, name: read_baseline(text, name, names, taxonomy.categories),
        texts,
        problems,
    )
    shop = config.shop
    said = shop.model_dump_json(include={"steps", "sells", "goods"}, exclude_defaults=True)
    digest = hashlib.sha256("\0".join([said, *texts]).encode()).hexdigest() if texts or said != "{}" else ""
    return Decided(needs.decided(overrides or (), frozenset(shop.sells)), GoodsReader(shop.goods), baseline, digest)


def read_types(config: Config, file: str, taxonomy: Taxonomy, problems: list[Problem]) -> tuple[Taxonomy, str]:
    """Read a shop's own kinds of personal data: the taxonomy with them, and a digest of the file; empty where there is none."""
    texts: list[str] = []
    own = _read(
        config.types,
        mistake(file, ("types",), ""),
        lambda text, name: read_own_types(text, name, taxonomy),
        texts,
        problems,
    )
    return own or taxonomy, hashlib.sha256(texts[0].encode()).hexdigest() if texts else ""


def _read(
    file: Path | None,
    named: Problem,
    reader: Callable[[str, str], tuple[Value | None, list[Problem]]],
    texts: list[str],
    problems: list[Problem],
) -> Value | None:
    if file is None:
        return None
    try:
        text = read_text(file)
    except OSError as error:
        problems.append(named._replace(message=f"{file} cannot be read ({error.strerror})"))
        return None
    value, found = reader(text, str(file))
    problems += found
    texts.append(text)
    return value

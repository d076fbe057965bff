"""Global Privacy Control: an opt-out sent by the browser (W3C working draft of 17 December 2025)."""

from enum import StrEnum
from typing import Any


class Gpc(StrEnum):
    """What a GPC value says. Absence is no statement, so there is no "allowed"."""

    OPT_OUT = "opt-out"
    NONE = "none"
    """`0`, false or empty: no statement."""
    NONCONFORMING = "nonconforming"
    """Something else stands there: no opt-out, and worth a remark."""


_OFF_TEXTS = frozenset({"", "0"})


def decode_header(values: tuple[str, ...]) -> Gpc:
    """Read the values of `Sec-GPC`, one for each time the header was sent.

    Only `1` counts, alone or repeated (`1, 1`, as proxies join it). `true`, `?1` and `"1"` do not conform.
    """
    if values == ("1",):
        return Gpc.OPT_OUT
    if sum(map(len, values)) > 64:
        return Gpc.NONCONFORMING
    items = {item.strip(" \t") for value in values for item in value.split(",")}
    if items == {"1"}:
        return Gpc.OPT_OUT
    return Gpc.NONE if items <= _OFF_TEXTS else Gpc.NONCONFORMING


def decode_value(value: Any) -> Gpc:
    """Read a value in an event's context, where true, 1, "true" and "1" count."""
    if value is True:
        return Gpc.OPT_OUT
    if value is None or value is False:
        return Gpc.NONE
    if isinstance(value, int):
        return {1: Gpc.OPT_OUT, 0: Gpc.NONE}.get(value, Gpc.NONCONFORMING)
    if isinstance(value, str):
        text = value[:16].strip()
        if text in {"1", "true"}:
            return Gpc.OPT_OUT
        return Gpc.NONE if text in {"", "0", "false"} else Gpc.NONCONFORMING
    return Gpc.NONCONFORMING

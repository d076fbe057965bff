"""Amazon CloudFront's access logs: the standard log (33 tab-separated fields, or the same names as JSON) and the real-time log.

Source: AWS, "Standard logging reference", "Real-time log fields". The real-time log has the fields that the user chose, in the user's order, and no
names: `AdapterOptions.fields` then gives CloudFront's name -> the column, counted from 1. Neither carries a body or the origin.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from urllib.parse import unquote

from topics.adapters import envelopes, geo, reading
from topics.adapters.lines import ReadLine, read_lines
from topics.adapters.opening import Group
from topics.adapters.requests import SIGNALS, Logged, observe
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import AdapterOptions, Observation, Reading
from topics.record import RawRecord, Reason, Rejected

_STANDARD = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) "
    "x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher "
    "x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type "
    "sc-content-type sc-content-len sc-range-start sc-range-end"
)
STANDARD_FIELDS: tuple[str, ...] = tuple(_STANDARD.split())
"""The standard log's fields in their order."""

_NAMES = "#Fields:"
_NEEDED = frozenset({"c-ip", "cs-method", "cs-uri-stem", "x-edge-request-id", "cs-headers"})


class CloudFront:
    """Reads standard logs by their `#Fields` line, or else in the documented order, and real-time logs by the field map."""

    name = "aws-cloudfront"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options
        places = {
            int(column) - 1: name for name, column in options.fields.items() if column.isascii() and column.isdigit()
        }
        self._order: tuple[str, ...] = tuple(places.get(at, "") for at in range(max(places) + 1)) if places else ()

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_lines(record.value, self._opened, objects=self._object)

    def _opened(self, comments: Sequence[str]) -> ReadLine:
        named = next((line for line in comments if line.startswith(_NAMES)), None)
        return partial(self._line, tuple(named[len(_NAMES) :].split()) if named else self._order or STANDARD_FIELDS)

    def _line(self, order: tuple[str, ...], line: str, item: int) -> Observation | Rejected:
        cells = line.split("\t")
        # A line of a standard log that is too short for its address is something else.
        if len(cells) < min(len(order), 12):
            return Rejected(Reason.SHAPE)
        return self._request(
            {name: cell for name, cell in zip(order, cells, strict=False) if cell not in reading.ABSENT}, item
        )

    def _object(self, data: bytes, item: int) -> Observation | Rejected | Group:
        wrapped = envelopes.opened(data, self._inside)
        return wrapped or self._named(data, item)

    def _inside(self, data: bytes, item: int) -> Observation | Rejected:
        if data[:1] == b"{":
            return self._named(data, item)
        return self._opened(())(data.decode("utf-8", "replace"), item)

    def _named(self, data: bytes, item: int) -> Observation | Rejected:
        members = OBJECT.decode(data)
        row = {name: text for name, raw in members.items() if (text := reading.text(value_of(raw))) is not None}
        return self._request(row, item)

    def _request(self, row: Mapping[str, str], item: int) -> Observation | Rejected:
        if _NEEDED.isdisjoint(row):
            return Rejected(Reason.SHAPE)
        headers = _headers(row.get("cs-headers", ""))
        moment = f"{row['date']}T{row['time']}Z" if "date" in row and "time" in row else row.get("timestamp")
        uri = row.get("cs-uri-stem", "")
        log = Logged(
            at=moment or row.get("timestamp(ms)"),
            record_id=row.get("x-edge-request-id"),
            method=row.get("cs-method"),
            host=row.get("x-host-header") or row.get("cs-host") or row.get("cs(Host)"),
            # The real-time log writes the query into the stem as well.
            path=uri.partition("?")[0],
            query=row.get("cs-uri-query") or uri.partition("?")[2],
            status=row.get("sc-status"),
            peer=row.get("c-ip"),
            forwarded=row.get("x-forwarded-for"),
            user_agent=_plain(row.get("cs(User-Agent)") or row.get("cs-user-agent")),
            referer=_plain(row.get("cs(Referer)") or row.get("cs-referer")),
            cookies=_plain(row.get("cs(Cookie)") or row.get("cs-cookie")),
            headers=headers or None,
            whole=_is_whole(headers, row.get("cs-headers-count")),
            located=geo.located(row.get("c-country"), None, "gateway-geo"),
        )
        return observe(log, item, self.name, self._options)


def _plain(text: str | None) -> str | None:
    """Decode percent signs, which the log writes twice in places: until nothing changes, at most twice."""
    if text is None or "%" not in text:
        return text
    once = unquote(text)
    return unquote(once) if "%" in once else once


def _headers(logged: str) -> dict[str, tuple[str, ...]]:
    """Read the real-time log's `cs-headers`: `Name:value` pairs with `%0A` between them."""
    found: dict[str, tuple[str, ...]] = {}
    for pair in unquote(logged).splitlines()[:512] if logged else ():
        name, colon, value = pair.partition(":")
        if colon and name and value.strip() not in reading.ABSENT:
            key = name.strip().lower()
            found[key] = (*found.get(key, ()), value.strip())
    return found


def _is_whole(headers: Mapping[str, tuple[str, ...]], count: str | None) -> bool:
    """Tell whether the header list, which is cut at 800 bytes, has all that were sent."""
    if any(name in headers for name in SIGNALS):
        return True
    return reading.whole(count) is not None and sum(map(len, headers.values())) == reading.whole(count)

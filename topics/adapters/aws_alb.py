"""The access log of AWS's application load balancer: text lines of blank-separated, partly quoted fields.

Source: AWS, "Access logs for your Application Load Balancer". AWS appends fields, so none is counted from the end. The log carries the user agent
and no other header, no cookies and no body.
"""

import re
from collections.abc import Sequence

from topics.adapters import envelopes
from topics.adapters.aws import region_of_arn
from topics.adapters.lines import ReadLine, read_lines
from topics.adapters.opening import Group
from topics.adapters.requests import Logged, observe, passed_on
from topics.observation import AdapterOptions, Observation, Reading
from topics.record import RawRecord, Reason, Rejected

_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^ ]+)')
_FEWEST = 13
_KINDS = frozenset({"http", "https", "h2", "grpcs", "ws", "wss"})
_LONG_LIVED = frozenset({"ws", "wss"})


class Alb:
    """Reads load balancer logs, also in a log shipper's or Firehose's JSON."""

    name = "aws-alb"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_lines(record.value, self._opened, objects=self._object)

    def _opened(self, _: Sequence[str]) -> ReadLine:
        return self._line

    def _object(self, data: bytes, _: int) -> Group | Rejected:
        wrapped = envelopes.opened(data, lambda line, item: self._line(line.decode("utf-8", "replace"), item))
        return wrapped or Rejected(Reason.SHAPE)

    def _line(self, line: str, item: int) -> Observation | Rejected:
        found = [quoted or plain for quoted, plain in _FIELD.findall(line)]
        if len(found) < _FEWEST or found[0] not in _KINDS:
            return Rejected(Reason.SHAPE)
        found += [""] * (22 - len(found))
        method, _, rest = found[12].partition(" ")
        url = rest.rpartition(" ")[0] or rest
        log = Logged(
            # The first time is that of the answer. A socket's is hours behind its request, which has a time of its own.
            at=found[21] if found[0] in _LONG_LIVED else found[1],
            record_id=found[17],
            route=found[20],
            method=method,
            host=None if "://" in url else found[18],
            url=url,
            status=found[8],
            peer=found[3],
            user_agent=found[13],
            destinations=passed_on(None, found[4], "target", "target"),
            region=region_of_arn(found[16]),
        )
        return observe(log, item, self.name, self._options)

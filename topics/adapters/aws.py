"""What AWS's formats spell alike: the time of common log format, and regions in host names and ARNs."""

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

_CLF = re.compile(r"([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})")
_MONTHS = {
    name: number
    for number, name in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], start=1)
}  # fmt: skip
_REGION = re.compile(r"\.([a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9])\.(?:amazonaws\.com|on\.aws)(?:\.cn)?(?::[0-9]+)?$")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9]):")


def moment(text: str | None) -> str | int | None:
    """Turn the time of common log format (`21/Apr/2020:15:08:21 +0000`) into epoch milliseconds; leave every other as it is."""
    found = _CLF.fullmatch(text) if text else None
    if found is None:
        return text
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        at = datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second),
            tzinfo=timezone(-offset if sign == "-" else offset),
        )  # fmt: skip
    except (KeyError, ValueError):
        return None
    return int(at.timestamp()) * 1000


@lru_cache(maxsize=1_024)
def region_of_host(host: str | None) -> str | None:
    """Give the region in a host of AWS's (`<id>.execute-api.us-east-1.amazonaws.com`); None in any other."""
    found = _REGION.search(host.lower()) if host and len(host) <= 260 else None
    return found[1] if found else None


@lru_cache(maxsize=1_024)
def region_of_arn(arn: str | None) -> str | None:
    """Give the region of an ARN; None where it has none."""
    found = _ARN.match(arn) if arn and len(arn) <= 2_048 else None
    return found[1] if found else None

"""Where a sink may send to: named hosts only, and no private address unless it was allowed."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec


class TargetProblem(Exception):
    """A reason why nothing is sent to a target."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A checked address."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""
    allow_private: bool = False

    @property
    def authority(self) -> str:
        """Give the value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"


def check(url: str, allowed_hosts: Iterable[str], *, allow_http: bool = False, allow_private: bool = False) -> Target:
    """Read an address. Raises TargetProblem for one that may not be used; the text has no secret of its path or query."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        port = parts.port
        host.encode("idna")
    except ValueError:
        raise TargetProblem("the address of a sink is no URL") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise TargetProblem("the address of a sink is not of the form https://host/path")
    if parts.scheme == "http" and not allow_http:
        raise TargetProblem(f"{host}: http sends alerts in clear text; use https, or set allow_http")
    if parts.username is not None or parts.password is not None:
        raise TargetProblem(f"{host}: an address with a password ends up in logs; use the sink's secret")
    if host not in {each.lower() for each in allowed_hosts}:
        raise TargetProblem(f"{host} is not in the list of allowed hosts")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or not path.isprintable() or " " in path:
        raise TargetProblem(f"{host}: the path has characters that must be written as %XX")
    return Target(
        scheme=parts.scheme,
        host=host,
        port=port or (443 if parts.scheme == "https" else 80),
        path=path,
        allow_private=allow_private,
    )


def address_of(target: Target) -> str:
    """Resolve a target to the address that is then connected to, so that the answer cannot change in between.

    Raises TargetProblem when any of its addresses is private and that is not allowed, OSError when there is none.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if not target.allow_private:
        for address in addresses:
            if not is_public(address):
                raise TargetProblem(f"{target.host} leads to a private address; set allow_private if that is meant")
    return addresses[0]


def is_public(address: str) -> bool:
    """Tell whether an IP address is reachable for everybody; an IPv4 address inside of an IPv6 one counts as itself."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is not None:
            ip = inner
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

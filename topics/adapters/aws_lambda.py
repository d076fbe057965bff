"""Requests as AWS Lambda gets them: API Gateway's proxy events, version 1 (REST) and 2 (HTTP APIs, function URLs), and the load balancer's.

Source: AWS, "Working with AWS Lambda proxy integrations for HTTP APIs", "Lambda functions as targets". They carry headers, cookies and body, but no
answer and no upstream: they are requests, not logs.
"""

import base64
import binascii
from typing import Any

import msgspec

from topics.adapters import reading
from topics.adapters.aws import region_of_host
from topics.adapters.opening import read_message
from topics.adapters.requests import Logged, observe
from topics.adapters.tolerant import Tolerant
from topics.observation import AdapterOptions, Media, Observation, Part, Reading
from topics.record import RawRecord, Reason, Rejected


class _Identity(msgspec.Struct):
    ip: Any = msgspec.field(default=None, name="sourceIp")
    agent: Any = msgspec.field(default=None, name="userAgent")
    pool: Any = msgspec.field(default=None, name="cognitoIdentityId")
    user: Any = None
    caller: Any = None


class _Http(msgspec.Struct):
    method: Any = None
    path: Any = None
    ip: Any = msgspec.field(default=None, name="sourceIp")
    agent: Any = msgspec.field(default=None, name="userAgent")


class _Context(msgspec.Struct):
    request_id: Any = msgspec.field(default=None, name="requestId")
    domain: Any = msgspec.field(default=None, name="domainName")
    epoch: Any = msgspec.field(default=None, name="requestTimeEpoch")
    epoch2: Any = msgspec.field(default=None, name="timeEpoch")
    identity: _Identity | None = None
    http: _Http | None = None
    elb: dict[str, Any] | None = None
    authorizer: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    resource: Any = None
    path: Any = None
    method: Any = msgspec.field(default=None, name="httpMethod")
    headers: dict[str, Any] | None = None
    all_headers: dict[str, Any] | None = msgspec.field(default=None, name="multiValueHeaders")
    query: dict[str, Any] | None = msgspec.field(default=None, name="queryStringParameters")
    all_query: dict[str, Any] | None = msgspec.field(default=None, name="multiValueQueryStringParameters")
    context: _Context | None = msgspec.field(default=None, name="requestContext")
    route: Any = msgspec.field(default=None, name="routeKey")
    raw_path: Any = msgspec.field(default=None, name="rawPath")
    raw_query: Any = msgspec.field(default=None, name="rawQueryString")
    cookies: Any = None
    body: Any = None
    coded: Any = msgspec.field(default=None, name="isBase64Encoded")


_EVENT = Tolerant(_Event)
_NO_CONTEXT = _Context()


class LambdaProxy:
    """Reads proxy events of both versions and the load balancer's."""

    name = "aws-lambda-proxy"

    def __init__(self, options: AdapterOptions) -> None:
        self._options = options
        # The load balancer tells the address in the header alone, and appends to what the client wrote there.
        self._behind_balancer = msgspec.structs.replace(options, trusted_proxies=max(1, options.trusted_proxies))

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_message(record.value, self._one)

    def _one(self, data: bytes, item: int) -> Observation | Rejected:
        event = _EVENT.decode(data)
        context = event.context or _NO_CONTEXT
        http, identity = context.http, context.identity
        if event.method is None and http is None:
            return Rejected(Reason.SHAPE)
        headers = reading.header_map(event.all_headers or event.headers or {})
        host = reading.first(headers, "host") or reading.text(context.domain)
        log = Logged(
            at=context.epoch if context.epoch is not None else context.epoch2,
            record_id=context.request_id,
            route=event.route if http else event.resource,
            method=http.method if http else event.method,
            host=host,
            path=(reading.text(event.raw_path) or http.path) if http else event.path,
            query=event.raw_query if http else None,
            query_map=None if http else event.all_query or event.query,
            peer=http.ip if http else identity.ip if identity else None,
            user_agent=(http.agent if http else identity.agent if identity else None)
            or reading.first(headers, "user-agent"),
            cookies=_cookies(event.cookies),
            user=_user(context),
            headers=headers,
            whole=True,
            body=_body(event, headers),
            region=region_of_host(host),
        )
        return observe(log, item, self.name, self._behind_balancer if context.elb is not None else self._options)


def _cookies(listed: Any) -> str | None:
    """Join version 2's list of cookies, which do not stand in its headers."""
    if type(listed) is not list:
        return None
    return "; ".join([each for each in listed if type(each) is str and each]) or None


def _user(context: _Context) -> str | None:
    """Give the signed-in person: the claims' subject, else the pool's identity, else the name that the authorizer gave."""
    authorizer = context.authorizer or {}
    jwt = authorizer.get("jwt")
    claims = (jwt.get("claims") if type(jwt) is dict else None) or authorizer.get("claims")
    subject = reading.identifier(claims.get("sub")) if type(claims) is dict else None
    identity = context.identity
    named = (
        (authorizer.get("principalId"), identity.user, identity.caller)
        if identity
        else (authorizer.get("principalId"),)
    )
    pool = reading.identifier(identity.pool) if identity else None
    return subject or pool or next((found for each in named if (found := reading.identifier(each))), None)


def _body(event: _Event, headers: reading.Headers) -> tuple[Part, ...]:
    sent = reading.text(event.body)
    if sent is None:
        return ()
    data = sent.encode("utf-8", "replace")
    if event.coded is True:
        try:
            data = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            return (Part("body", data, Media.TEXT, truncated=True),)
    length = None if "content-encoding" in headers else reading.first(headers, "content-length")
    return (reading.body_part("body", data, reading.first(headers, "content-type"), length),)

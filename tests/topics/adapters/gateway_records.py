"""Valid records of gateways and load balancers, written for these tests."""

from typing import Any

APISIX: dict[str, Any] = {
    "client_ip": "198.51.100.7",
    "start_time": 1772445600250,
    "request": {
        "method": "POST",
        "uri": "/v1/shipping?step=2",
        "url": "http://api.shop.example:9080/v1/shipping?step=2",
        "headers": {
            "host": "api.shop.example:9080",
            "cookie": "ajs_anonymous_id=%22anon-1%22",
            "sec-gpc": "1",
            "content-type": "application/json",
            "accept": ["a/b", "c/d"],
        },
        "querystring": {"step": "2"},
        "size": "120",
        "body": '{"zip": "12345"}',
    },
    "response": {"status": 200, "headers": {}, "size": 12},
    "route_id": "shipping",
    "service_id": "",
    "upstream": "10.1.0.1:443, 10.1.0.2:443",
    "consumer": {"username": "u-77"},
    "server": {"hostname": "apisix", "version": "3.16.0"},
    "latency": 4.5,
}
ENVOY: dict[str, Any] = {
    "start_time": "2026-03-02T10:00:00.250Z",
    ":authority": "www.shop.example:443",
    "method": "GET",
    "path": "/cart?a=1",
    "response_code": "200",
    "downstream_remote_address": "198.51.100.7:51234",
    "x-forwarded-for": "6.6.6.6,203.0.113.9,10.0.0.2",
    "user-agent": "Mozilla/5.0",
    "request_id": "req-1",
    "upstream_cluster": "outbound|443||api.vendor.example",
    "upstream_host": "192.0.2.10:443",
    "route_name": "-",
    "sec_gpc": "-",
    "cookie": "ajs_user_id=u-77",
    "response_flags": None,
}


def attributes(**named: Any) -> list[dict[str, Any]]:
    """Write attributes as OTLP/JSON does; `__` stands for a dot."""
    kinds = {str: "stringValue", int: "intValue"}
    return [
        {
            "key": name.replace("__", "."),
            "value": {"arrayValue": {"values": [{"stringValue": each} for each in value]}}
            if isinstance(value, list)
            else {kinds[type(value)]: str(value)},
        }
        for name, value in named.items()
    ]


SERVER_SPAN: dict[str, Any] = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "GET /cart",
    "kind": 2,
    "startTimeUnixNano": "1772445600250000000",
    "attributes": attributes(
        http__request__method="GET",
        url__path="/cart",
        url__query="a=1",
        url__scheme="https",
        server__address="www.shop.example",
        http__route="/cart",
        http__response__status_code=200,
        client__address="198.51.100.7",
        user_agent__original="Mozilla/5.0",
        http__request__header__sec_gpc=["1"],
    ),
}
CLIENT_SPAN: dict[str, Any] = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b175",
    "kind": "SPAN_KIND_CLIENT",
    "startTimeUnixNano": "1772445600260000000",
    "attributes": attributes(
        http__method="POST",
        http__url="https://api.vendor.example/v1/track?x=1",
        net__peer__name="api.vendor.example",
        http__status_code=202,
        network__peer__address="192.0.2.10",
    ),
}
OTLP: dict[str, Any] = {
    "resourceSpans": [
        {
            "resource": {"attributes": attributes(service__name="checkout")},
            "scopeSpans": [
                {"spans": [SERVER_SPAN, {"kind": 1, "name": "compute", "attributes": []}]},
                {"spans": [CLIENT_SPAN]},
            ],
        }
    ]
}
APIGW: dict[str, Any] = {
    "requestId": "req-1",
    "ip": "198.51.100.7",
    "caller": "-",
    "user": "-",
    "requestTime": "02/Mar/2026:11:00:00 +0100",
    "httpMethod": "GET",
    "resourcePath": "/users/{id}",
    "status": "200",
    "protocol": "HTTP/1.1",
    "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
    "userAgent": "Mozilla/5.0",
}
LAMBDA_V1: dict[str, Any] = {
    "resource": "/{proxy+}",
    "path": "/checkout/contact",
    "httpMethod": "POST",
    "headers": {"Host": "abc.execute-api.us-east-1.amazonaws.com", "Accept": "last"},
    "multiValueHeaders": {
        "Host": ["abc.execute-api.us-east-1.amazonaws.com"],
        "Accept": ["first", "last"],
        "Cookie": ["a=1", "ajs_user_id=u-1"],
        "Sec-GPC": ["1"],
        "User-Agent": ["Mozilla/5.0"],
        "CloudFront-Viewer-Country": ["US"],
        "Content-Type": ["application/json"],
        "X-Forwarded-For": ["203.0.113.9, 192.0.2.1"],
    },
    "queryStringParameters": {"a": "2"},
    "multiValueQueryStringParameters": {"a": ["1", "2"]},
    "requestContext": {
        "requestId": "req-1",
        "requestTimeEpoch": 1772445600250,
        "domainName": "abc.execute-api.us-east-2.amazonaws.com",
        "identity": {"sourceIp": "198.51.100.7", "userAgent": "Mozilla/5.0", "cognitoIdentityId": None},
        "authorizer": {"claims": {"sub": "u-77"}},
    },
    "body": "eyJlbWFpbCI6ICJhQHNob3AuZXhhbXBsZSJ9",
    "isBase64Encoded": True,
}
LAMBDA_V2: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "POST /cart",
    "rawPath": "/cart",
    "rawQueryString": "a=1&a=2",
    "cookies": ["usprivacy=1YYN", "ajs_anonymous_id=anon-1"],
    "headers": {"host": "shop.example", "user-agent": "Mozilla/5.0 (X, Y)", "content-type": "application/json"},
    "requestContext": {
        "domainName": "abc.execute-api.us-west-2.amazonaws.com",
        "http": {"method": "POST", "path": "/cart", "sourceIp": "198.51.100.7", "userAgent": "Mozilla/5.0 (X, Y)"},
        "requestId": "req-2",
        "timeEpoch": 1772445600250,
        "authorizer": {"jwt": {"claims": {"sub": "u-77"}}},
    },
    "body": '{"sku": "a"}',
    "isBase64Encoded": False,
}
LAMBDA_ALB: dict[str, Any] = {
    "requestContext": {
        "elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/6d"}
    },
    "httpMethod": "GET",
    "path": "/cart",
    "queryStringParameters": {"a": "1"},
    "headers": {"host": "shop.example", "x-forwarded-for": "6.6.6.6, 203.0.113.9", "cookie": "a=1"},
    "body": "",
    "isBase64Encoded": False,
}
_TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/t/73e2d6bc24d8a067"
ALB_LINE = (
    "https 2026-03-02T10:00:01.186641Z app/shop/50dc6c495c0c9188 198.51.100.7:2817 192.0.2.10:80 0.086 0.048 0.037 200 200 0 57 "
    '"GET https://www.shop.example:443/cart?a=1 HTTP/1.1" "Mozilla/5.0 (\\"odd\\")" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
    f'{_TARGET_GROUP} "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.shop.example" '
    '"arn:aws:acm:eu-central-1:123456789012:certificate/12345678" 1 2026-03-02T10:00:00.250000Z "forward" "-" "-" "192.0.2.10:80" '
    '"200" "-" "-" TID_1 a-field-of-the-future'
)
ALB_REFUSED = (
    "http 2026-03-02T10:00:01.186641Z app/shop/50dc6c495c0c9188 [2001:db8::7]:2817 - -1 -1 -1 400 - 0 57 "
    '"- http://www.shop.example:80- -" "-" - - - "-" "-" "-" - 2026-03-02T10:00:00.250000Z "-" "-" "-" "-" "-" "-" "-"'
)
WAF: dict[str, Any] = {
    "timestamp": 1772445600250,
    "formatVersion": 1,
    "webaclId": "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/1",
    "action": "ALLOW",
    "httpRequest": {
        "clientIp": "198.51.100.7",
        "country": "US",
        "headers": [
            {"name": "Host", "value": "www.shop.example"},
            {"name": "Sec-GPC", "value": "1"},
            {"name": "Cookie", "value": "ajs_user_id=u-77"},
            {"name": "Cookie", "value": "b=2"},
            {"name": "Authorization", "value": "REDACTED"},
            {"name": "User-Agent", "value": "Mozilla/5.0"},
        ],
        "uri": "/cart",
        "args": "a=1",
        "httpMethod": "GET",
        "requestId": "req-1",
    },
    "labels": [{"name": "awswaf:clientip:geo:country:US"}, {"name": "awswaf:clientip:geo:region:US-CA"}],
}
CLOUDFRONT: dict[str, Any] = {
    "date": "2026-03-02",
    "time": "10:00:00",
    "x-edge-location": "FRA50-C1",
    "c-ip": "198.51.100.7",
    "cs-method": "GET",
    "cs(Host)": "d111111abcdef8.cloudfront.net",
    "cs-uri-stem": "/cart",
    "sc-status": "200",
    "cs(Referer)": "https://www.shop.example/",
    "cs(User-Agent)": "Mozilla/5.0%2520(X)",
    "cs-uri-query": "a=1",
    "cs(Cookie)": "ajs_user_id=u-77;%20usprivacy=1YYN",
    "x-edge-request-id": "req-1",
    "x-host-header": "www.shop.example",
    "x-forwarded-for": "-",
}
_CLOUDFRONT_ORDER = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) "
    "x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for"
)
CLOUDFRONT_LINE = "\t".join(CLOUDFRONT.get(name, "-") for name in _CLOUDFRONT_ORDER.split())
GCP: dict[str, Any] = {
    "timestamp": "2026-03-02T10:00:00.250123456Z",
    "insertId": "id-1",
    "trace": "projects/p/traces/1",
    "httpRequest": {
        "requestMethod": "GET",
        "requestUrl": "https://www.shop.example/cart?a=1",
        "requestSize": "100",
        "status": 200,
        "remoteIp": "198.51.100.7",
        "serverIp": "192.0.2.10",
        "userAgent": "Mozilla/5.0",
        "referer": "https://www.shop.example/",
        "latency": "0.005s",
    },
    "jsonPayload": {"remoteIp": "198.51.100.7", "statusDetails": "ok"},
    "resource": {"type": "http_load_balancer", "labels": {"backend_service_name": "web", "zone": "us-central1"}},
}
AZURE_GATEWAY: dict[str, Any] = {
    "time": "2026-03-02T10:00:00.250Z",
    "category": "ApplicationGatewayAccessLog",
    "ruleName": "web",
    "properties": {
        "clientIP": "198.51.100.7",
        "httpMethod": "GET",
        "requestUri": "/cart",
        "requestQuery": "a=1",
        "userAgent": "Mozilla/5.0",
        "httpStatus": 200,
        "serverRouted": "192.0.2.10:443",
        "host": "www.shop.example",
        "transactionId": "req-1",
    },
}
AZURE_FRONT_DOOR: dict[str, Any] = {
    "time": "2026-03-02T10:00:00.250Z",
    "category": "FrontDoorAccessLog",
    "properties": {
        "trackingReference": "req-1",
        "httpMethod": "GET",
        "requestUri": "https://www.shop.example:443/cart?a=1",
        "clientIp": "198.51.100.7",
        "clientCountry": "United States",
        "httpStatusCode": "200",
        "hostName": "www.shop.example",
        "originIp": "192.0.2.10:443",
        "originUrl": "https://origin.vendor.example:443/cart",
        "userAgent": "Mozilla/5.0",
    },
}
AZURE_APP: dict[str, Any] = {
    "time": "2026-03-02T10:00:00.250Z",
    "category": "AppServiceHTTPLogs",
    "properties": '{"CsHost": "www.shop.example", "CIp": "198.51.100.7", "CsMethod": "GET", "CsUriStem": "/cart", "CsUriQuery": "a=1", '
    '"ScStatus": "200", "UserAgent": "Mozilla/5.0", "Cookie": "ajs_user_id=u-77", "Referer": "-"}',
}
AZURE_APIM: dict[str, Any] = {
    "time": "2026-03-02T10:00:00.250Z",
    "category": "GatewayLogs",
    "correlationId": "req-1",
    "callerIpAddress": "198.51.100.7",
    "properties": {
        "Method": "POST",
        "Url": "https://api.shop.example/v1/tax?x=1",
        "ResponseCode": 200,
        "ApiId": "tax",
        "OperationId": "quote",
        "RequestHeaders": '{"Sec-GPC": "1", "Content-Type": "application/json"}',
        "RequestBody": '{"zip": "12345"}',
        "BackendUrl": "https://tax.vendor.example/quote",
        "BackendMethod": "POST",
        "BackendRequestHeaders": {"Content-Type": "application/json"},
        "BackendRequestBody": '{"zip": "12345"}',
        "BackendResponseCode": 201,
    },
}
VALID: dict[str, list[dict[str, Any]]] = {
    "apisix": [APISIX],
    "envoy": [ENVOY],
    "otlp-spans": [OTLP, SERVER_SPAN, CLIENT_SPAN],
    "aws-apigw-access": [APIGW],
    "aws-lambda-proxy": [LAMBDA_V1, LAMBDA_V2, LAMBDA_ALB],
    "aws-alb": [{"message": ALB_LINE}],
    "aws-waf": [WAF],
    "aws-cloudfront": [CLOUDFRONT],
    "gcp-lb": [GCP],
    "azure-gateway": [{"records": [AZURE_GATEWAY, AZURE_APP]}, AZURE_FRONT_DOOR, AZURE_APIM],
}
SINGLE: dict[str, dict[str, Any]] = {
    "apisix": APISIX,
    "envoy": ENVOY,
    "otlp-spans": SERVER_SPAN,
    "aws-apigw-access": APIGW,
    "aws-lambda-proxy": LAMBDA_V1,
    "aws-alb": {"message": ALB_LINE},
    "aws-waf": WAF,
    "aws-cloudfront": CLOUDFRONT,
    "gcp-lb": GCP,
    "azure-gateway": AZURE_GATEWAY,
}
LINES: dict[str, list[str]] = {"aws-alb": [ALB_LINE, ALB_REFUSED], "aws-cloudfront": [CLOUDFRONT_LINE]}

"""A real gateway: nginx writes JSON access records, rsyslog ships them to Kafka; nothing leaves the machine.

The shop is served under its own host names; other host names stand for third parties, as a shop's egress proxy sees
them. Both are answered by one small upstream in this process, so the `host` of a record is what the sender named.
"""

import http.client
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.kafka.debian import fetched
from tests.kafka.processes import Process, Unavailable, answers, free_ports, spawn, stop, wait_until

SHOP_HOST = "shop.example"
THIRD_PARTIES = (
    "graph.facebook.com",
    "www.google-analytics.com",
    "analytics.tiktok.com",
    "api.segment.io",
    "api.stripe.com",
)
# nginx has no JSON format of its own: these are its variables under their own names, as most shops log them.
FIELDS = (
    "time_iso8601",
    "msec",
    "remote_addr",
    "request_method",
    "host",
    "request_uri",
    "status",
    "http_user_agent",
    "http_referer",
    "http_cookie",
    "http_sec_gpc",
    "http_origin",
    # What a content network in front adds about the client's place.
    "http_cloudfront_viewer_country",
    "http_cloudfront_viewer_country_region",
    "http_content_type",
    "request_body",
    "upstream_addr",
)
_PACKAGES = ("nginx", "rsyslog", "rsyslog-kafka")


@dataclass(frozen=True, slots=True)
class Programs:
    """Where nginx, rsyslogd and rsyslog's modules are, and the libraries they need beside the system's own."""

    nginx: Path
    rsyslogd: Path
    modules: Path
    libraries: tuple[Path, ...]


def find_programs() -> Programs:
    """Return the installed programs, else fetch Debian's packages and unpack them into the cache folder.

    Unpacking needs no root, starts no service and leaves the system as it was.

    Raises:
        Unavailable: neither is possible here.
    """
    return _programs_under(Path("/")) or _fetched_programs()


def _programs_under(root: Path) -> Programs | None:
    nginx, rsyslogd = root / "usr/sbin/nginx", root / "usr/sbin/rsyslogd"
    kafka_module = next(iter(sorted(root.glob("usr/lib/*/rsyslog/omkafka.so"))), None)
    if kafka_module is None or not nginx.exists() or not rsyslogd.exists():
        return None
    libraries = (
        () if root == Path("/") else tuple(sorted({*root.glob("usr/lib/*-linux-*"), *root.glob("lib/*-linux-*")}))
    )
    return Programs(nginx, rsyslogd, kafka_module.parent, libraries)


def _fetched_programs() -> Programs:
    programs = _programs_under(fetched("gateway", _PACKAGES))
    if programs is None:
        raise Unavailable("Debian's packages hold no nginx, rsyslogd or omkafka.so where they used to be")
    return programs


@dataclass(frozen=True, slots=True)
class Received:
    """What the upstream got, to prove that a request went through and was not only logged."""

    host: str
    method: str
    path: str
    body: bytes


class Gateway:
    """A running nginx and rsyslogd that ship to one topic.

    `base_url` is where nginx listens; `topic` holds one JSON record per request; `received` is what the upstream got.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        """Start the upstream, rsyslogd and nginx, and wait until they serve.

        Raises:
            Unavailable: the programs cannot be had here, or did not start.
        """
        programs = find_programs()
        self.bootstrap = bootstrap
        self.topic = topic
        self.received: list[Received] = []
        self._folder = Path(tempfile.mkdtemp(prefix="gateway-for-tests-"))
        (self._port,) = free_ports(1)
        self.base_url = f"http://127.0.0.1:{self._port}"
        self._upstream = ThreadingHTTPServer(("127.0.0.1", 0), _answers(self.received))
        self._thread = threading.Thread(target=self._upstream.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self._processes: list[Process] = []
        try:
            self._start(programs)
        except BaseException:
            self.stop()
            raise

    def _start(self, programs: Programs) -> None:
        nginx_conf, rsyslog_conf = self._folder / "nginx.conf", self._folder / "rsyslog.conf"
        socket, errors = self._folder / "log.sock", self._folder / "nginx-error.log"
        upstream_port = int(self._upstream.server_address[1])
        nginx_conf.write_text(nginx_configuration(self._folder, socket, self._port, upstream_port), encoding="utf-8")
        brokers = self.bootstrap.split(",")
        rsyslog_conf.write_text(rsyslog_configuration(self._folder, socket, brokers, self.topic), encoding="utf-8")
        env = {"LD_LIBRARY_PATH": ":".join(map(str, programs.libraries))} if programs.libraries else {}

        syslog = [str(programs.rsyslogd), "-n", "-i", "NONE", "-f", str(rsyslog_conf), "-M", str(programs.modules)]
        self._processes.append(spawn("rsyslogd", syslog, self._folder / "rsyslogd.log", env))
        self._await(socket.exists)
        nginx = [str(programs.nginx), "-p", str(self._folder), "-e", str(errors), "-c", str(nginx_conf)]
        self._processes.append(spawn("nginx", nginx, errors, env))
        self._await(lambda: answers(self._port))

    def _await(self, ready: Callable[[], bool]) -> None:
        if not wait_until(ready, 20, self._processes):
            tails = "\n".join(f"--- {process.name}\n{process.tail()}" for process in self._processes)
            raise Unavailable(f"the gateway did not start\n{tails}")

    def request(
        self,
        method: str,
        path: str,
        *,
        host: str = SHOP_HOST,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> int:
        """Send one request through the gateway and return the HTTP status; X-Forwarded-For sets the client address."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request(method, path, body=body, headers={"Host": host, **(headers or {})})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def records(self, count: int, seconds: float = 20.0) -> list[bytes]:
        """Return the first records on the topic as raw bytes, at most `count`, fewer if they do not come in time."""
        consumer = Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": f"{self.topic}-reader", "enable.auto.commit": False}
        )
        try:
            partitions = consumer.list_topics(self.topic, timeout=10).topics[self.topic].partitions
            consumer.assign([TopicPartition(self.topic, number, OFFSET_BEGINNING) for number in partitions])
            found: list[bytes] = []
            limit = time.monotonic() + seconds
            while len(found) < count and time.monotonic() < limit:
                for message in consumer.consume(count - len(found), timeout=0.2):
                    if message.error():
                        raise Unavailable(f"reading {self.topic}: {message.error()}")
                    found.append(message.value() or b"")
            return found
        finally:
            consumer.close()

    def stop(self) -> None:
        """Stop all that was started and remove its files."""
        stop(reversed(self._processes))
        self._upstream.shutdown()
        self._upstream.server_close()
        self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)


def nginx_configuration(folder: Path, socket: Path, port: int, upstream_port: int) -> str:
    """Return nginx's configuration: the shop, an egress route for third parties, and the JSON access log."""
    record = ",".join(f'"{name}":"${name}"' for name in FIELDS)
    temporary = "\n".join(
        f"    {kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    forward = f"proxy_pass http://127.0.0.1:{upstream_port}; proxy_set_header Host $host;"
    # One process: the kernel can tie only the first process of nginx to the life of the tests.
    return f"""daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
{temporary}
    log_format records escape=json '{{{record}}}';
    access_log syslog:server=unix:{socket},facility=local7,severity=info,tag=gateway,nohostname records;
    client_max_body_size 1m;
    client_body_buffer_size 256k;
    client_body_in_single_buffer on;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    server {{
        listen 127.0.0.1:{port} default_server;
        return 421;
    }}
    server {{
        listen 127.0.0.1:{port};
        server_name {SHOP_HOST} www.{SHOP_HOST};
        location /shop/ {{ {forward} }}
    }}
    server {{
        listen 127.0.0.1:{port};
        server_name {" ".join(THIRD_PARTIES)};
        location / {{ {forward} }}
    }}
}}
"""


def rsyslog_configuration(folder: Path, socket: Path, brokers: list[str], topic: str) -> str:
    """Return rsyslog's configuration: from a unix socket, unchanged, to one topic."""
    # Control characters are escaped by nginx already, and rsyslog's own escapes would not be JSON.
    return f"""global(workDirectory="{folder}" maxMessageSize="512k" parser.escapeControlCharactersOnReceive="off")
module(load="imuxsock" SysSock.Use="off")
module(load="omkafka")
input(type="imuxsock" Socket="{socket}" RateLimit.Interval="0")
# A syslog message starts with the blank after its tag.
template(name="record" type="string" string="%msg:2:$%")
action(type="omkafka" broker={json.dumps(brokers)} topic="{topic}" template="record" partitions.auto="on"
       resubmitOnFailure="on" keepFailedMessages="on" failedMsgFile="{folder}/failed"
       confParam=["queue.buffering.max.ms=5", "request.required.acks=-1", "message.max.bytes=1000000"])
"""


def _answers(received: list[Received]) -> type[BaseHTTPRequestHandler]:
    class Upstream(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            received.append(Received(self.headers.get("Host", ""), self.command, self.path, body))
            content = b'{"ok":true}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            """Say nothing on the terminal."""

    return Upstream

"""The three pages of each process: /metrics, /healthz (it lives) and /readyz (it works)."""

import errno
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import make_wsgi_app

_TRIES = 50
_MOST_SECONDS = 10


class PagesProblem(Exception):
    """The pages cannot be shown, in one line that says what to do."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing: a client that hangs up is no error of ours."""


class _Silent(WSGIRequestHandler):
    timeout = _MOST_SECONDS
    """A client that says nothing holds its thread no longer than this."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Write nothing: a page that is read every few seconds is no news."""


class Pages:
    """A small HTTP server in a thread of its own."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, not_ready: Callable[[], str]) -> None:
        """Listen on the port, or on the next free one. Raises PagesProblem. `not_ready` gives the reason, or an empty text when ready."""
        metrics = make_wsgi_app(registry)

        def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "/")
            if path == "/metrics":
                page: Iterable[bytes] = metrics(environ, start)
                return page
            if path == "/healthz":
                return _text(start, "200 OK", "alive\n")
            if path == "/readyz":
                reason = not_ready()
                return _text(start, "503 Service Unavailable" if reason else "200 OK", (reason or "ready") + "\n")
            return _text(start, "404 Not Found", "pages: /metrics /healthz /readyz\n")

        self._server = _bind(host, port, app)
        self.port = int(self._server.server_port)
        self.url = f"http://{host}:{self.port}"
        threading.Thread(target=self._server.serve_forever, name="pages", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _bind(host: str, port: int, app: Callable[..., Iterable[bytes]]) -> WSGIServer:
    for candidate in [port] if port == 0 else range(port, min(port + _TRIES, 65_536)):
        try:
            return make_server(host, candidate, app, server_class=_Server, handler_class=_Silent)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise PagesProblem(
                f"cannot listen at {host}:{candidate} ({error.strerror}); set http.host and http.port"
            ) from None
    raise PagesProblem(f"no free port at {host} from {port} on; set http.port")


def _text(start: Callable[..., Any], status: str, text: str) -> Iterable[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode()]

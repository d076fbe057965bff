"""A notification target on this machine that is down, slow or refuses in turn, and keeps what it took."""

import json
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

RETRY_AFTER = 2
SLOW_SECONDS = 3.0
MOODS = ("down", "slow", "401", "429", "500", "503", "breaks off")


@dataclass(frozen=True)
class Taken:
    """A request that was answered with 200."""

    at: float
    body: Any


class Unsteady:
    """One HTTP server on one port; its mood decides what a request meets."""

    def __init__(self) -> None:
        self.mood = "ok"
        self.taken: list[Taken] = []
        self.met: Counter[str] = Counter()
        self.at: list[tuple[float, str]] = []
        """When each request came, and the mood it met."""
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self._open()

    def set_mood(self, mood: str) -> None:
        """Change what requests meet; `down` closes the port."""
        if mood == "down":
            self._close()
        elif self._server is None:
            self._open()
        self.mood = mood

    def _open(self) -> None:
        self._server = server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        server.daemon_threads = True
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def _close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _note(self, body: bytes) -> str:
        with self._lock:
            mood = self.mood
            self.met[mood] += 1
            self.at.append((time.monotonic(), mood))
            # A slow one takes what it was sent; the sender hears of it too late and sends it again.
            if mood in {"ok", "slow"}:
                self.taken.append(Taken(time.monotonic(), json.loads(body)))
        return mood

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        target = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                mood = target._note(body)
                if mood == "breaks off":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    return
                if mood == "slow":
                    time.sleep(SLOW_SECONDS)
                try:
                    self.send_response(int(mood) if mood.isdigit() else 200)
                    if mood == "429":
                        self.send_header("Retry-After", str(RETRY_AFTER))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    return  # the sender did not wait

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

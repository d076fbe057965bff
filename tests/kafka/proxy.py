"""A TCP proxy of the tests, which can hold back what goes to a broker, what comes from it, or both."""

import contextlib
import selectors
import socket
import threading
from dataclasses import dataclass, field

_PIECE = 65_536
_LOOK_SECONDS = 0.05


@dataclass(slots=True, eq=False)
class _Way:
    """One direction of a connection."""

    source: socket.socket
    to: socket.socket
    is_request: bool


@dataclass(slots=True)
class Proxy:
    """Listens on a port of 127.0.0.1 and passes on to another.

    What is held back is not lost: a cut line is silent, not closed, and what was under way arrives when it is healed, as late as that.
    """

    port: int
    to: int
    held: int = 0
    """Connections and pieces that a cut has held back so far: 0 means that it hit nothing."""
    _requests_cut: bool = False
    _answers_cut: bool = False
    _ended: bool = False
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, args=(socket.create_server(("127.0.0.1", self.port)),))
        self._thread.daemon = True
        self._thread.start()

    def cut(self, *, requests: bool = True, answers: bool = True) -> None:
        """Hold back from now on what goes to the broker (`requests`), what comes from it (`answers`), or both."""
        self.held = 0
        self._requests_cut, self._answers_cut = requests, answers

    def heal(self) -> None:
        """Pass on again, and first what was held back."""
        self._requests_cut = self._answers_cut = False

    def close(self) -> None:
        """Stop listening, and end all connections."""
        self._ended = True
        self._thread.join(5)

    def _run(self, server: socket.socket) -> None:
        server.setblocking(False)
        with selectors.DefaultSelector() as selector, server:
            selector.register(server, selectors.EVENT_READ)
            resting: list[_Way] = []
            while not self._ended:
                for way in [each for each in resting if not self._is_cut(each)]:
                    resting.remove(way)
                    selector.register(way.source, selectors.EVENT_READ, way)
                for key, _ in selector.select(_LOOK_SECONDS):
                    if key.data is None:
                        self._accept(server, selector)
                    elif self._is_cut(key.data):
                        # Not read any more, so that its sender sees a peer that is silent.
                        self.held += 1
                        selector.unregister(key.fileobj)
                        resting.append(key.data)
                    else:
                        self._pass_on(key.data, selector, resting)

    def _is_cut(self, way: _Way) -> bool:
        return self._requests_cut if way.is_request else self._answers_cut

    def _accept(self, server: socket.socket, selector: selectors.BaseSelector) -> None:
        with contextlib.suppress(OSError):
            client, _ = server.accept()
            try:
                broker = socket.create_connection(("127.0.0.1", self.to), 2)
            except OSError:
                client.close()
                return
            for way in (_Way(client, broker, is_request=True), _Way(broker, client, is_request=False)):
                way.source.settimeout(5)
                selector.register(way.source, selectors.EVENT_READ, way)

    @staticmethod
    def _pass_on(way: _Way, selector: selectors.BaseSelector, resting: list[_Way]) -> None:
        try:
            piece = way.source.recv(_PIECE)
            if piece:
                way.to.sendall(piece)
                return
        except OSError:
            pass
        for each in (way.source, way.to):
            with contextlib.suppress(KeyError, ValueError):
                selector.unregister(each)
            each.close()
        resting[:] = [each for each in resting if each.source not in (way.source, way.to)]

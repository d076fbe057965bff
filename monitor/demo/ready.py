"""When the demo's processes begin to work: asked of their own pages."""

import urllib.error
import urllib.request
from collections.abc import Mapping

_SECONDS = 0.2


class Starting:
    """The processes that do not work yet."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        """Take the address of each process's pages by its name."""
        self._pages = dict(pages)

    @property
    def names(self) -> tuple[str, ...]:
        """The processes that were not ready when they were asked last."""
        return tuple(self._pages)

    def ask(self) -> list[str]:
        """Ask all that were not ready, and name those that are now."""
        ready = [name for name, address in self._pages.items() if _is_ready(address)]
        for name in ready:
            del self._pages[name]
        return ready


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=_SECONDS) as page:  # noqa: S310 - an address of ours
            return bool(page.status == 200)
    except (urllib.error.URLError, OSError):
        return False

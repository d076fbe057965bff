"""Lists in Adblock syntax through the engine of the Brave browser (the extra `adblock`). The only module that imports it."""

from adblock import Engine, FilterSet

from detectors.documents import Problem

_LONGEST_PATH = 2_048
_LONGEST_QUERY = 2_048
_KINDS = {
    "js": "script",
    "mjs": "script",
    "gif": "image",
    "png": "image",
    "jpg": "image",
    "jpeg": "image",
    "webp": "image",
    "svg": "image",
    "css": "stylesheet",
    "html": "subdocument",
    "htm": "subdocument",
}
"""What a path's ending says of the request; all else is taken for one of a script's."""


class AdblockList:
    """Filters of one file, compiled."""

    __slots__ = ("_engine", "name", "purpose")

    def __init__(self, name: str, purpose: str, engine: Engine) -> None:
        self.name = name
        self.purpose = purpose
        self._engine = engine

    def means(self, host: str, path: str, query: str, page_host: str) -> bool:
        """Tell whether a filter blocks the request and no exception lets it through."""
        path = path[:_LONGEST_PATH]
        url = f"https://{host}{path if path.startswith('/') else f'/{path}'}"
        if query:
            url = f"{url}?{query[:_LONGEST_QUERY]}"
        kind = _KINDS.get(path.rpartition(".")[2].lower(), "xmlhttprequest")
        return bool(self._engine.check_network_urls(url, f"https://{page_host}/" if page_host else "", kind).matched)


def read_filters(text: str, file: str, purpose: str) -> tuple[AdblockList | None, list[Problem]]:
    """Compile a list: what it holds for requests, or what is wrong with it. Filters that only hide parts of pages say nothing here."""
    if not any(_is_network(line) for line in text.splitlines()):
        return None, [Problem(file, 0, "", "holds no filter of requests in Adblock syntax, such as ||ads.example^")]
    filters = FilterSet(debug=False)
    filters.add_filter_list(text, format="standard")
    return AdblockList(file, purpose, Engine(filters)), []


def _is_network(line: str) -> bool:
    line = line.strip()
    if not line or line.startswith(("!", "[", "<", "#")):
        return False
    return not any(mark in line for mark in ("##", "#@#", "#?#", "#$#")) and " " not in line

"""Decoding TC strings against the package iab-tcf on the same strings in one run, and the cost of finding signals and deciding on the benchmark's traffic.

The package is no dependency. To compare, install it elsewhere and name that interpreter:

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install iab-tcf
    PRIVACY_MONITOR_BENCH_IAB_TCF=/tmp/peer/bin/python python -m tests.bench.consent
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from detectors.consent import gpp, tcf
from detectors.consent.carriers import open_jar
from detectors.consent.platforms import DEFAULT_CATEGORIES
from detectors.consent.readings import from_context, from_jar, from_query, read_string
from detectors.consent.signals import SignalFinder, find_signals
from tests.bench import consent_mix
from tests.detectors.consent.writer import tc_core

_VECTORS = Path(__file__).parents[1] / "detectors" / "consent" / "vectors"
_PEER = "PRIVACY_MONITOR_BENCH_IAB_TCF"
_SECONDS = 0.5
_ROUNDS = 3

# Reads strings, keeps those that it can decode, then answers each line with its rate over that many seconds.
_PEER_PROGRAM = """
import json, sys, time
import iab_tcf
accepted = []
strings = json.loads(sys.stdin.readline())
for text in strings:
    try:
        iab_tcf.decode(text)
        accepted.append(text)
    except Exception:
        pass
print(json.dumps(accepted), flush=True)
for line in sys.stdin:
    seconds, done, start = float(line), 0, time.process_time()
    while time.process_time() - start < seconds:
        for text in accepted:
            iab_tcf.decode(text)
        done += len(accepted)
    print(done / (time.process_time() - start), flush=True)
"""


def main() -> None:
    """Print strings per second, their ratio to the peer's, and microseconds for each carrier, cached and not."""
    rows = [json.loads(line) for line in (_VECTORS / "public.jsonl").open(encoding="utf-8")]
    strings = [row["string"] for row in rows if row["group"] == "tcf_v2"]
    _against_peer(strings)
    _rate("TC strings, all", strings, tcf.decode_segments)
    _rate("GPP of US sections", [row["string"] for row in rows if row["group"] == "us_single"], gpp.decode_uncached)
    # As many ranges as the count of twelve bits can name.
    longest = tc_core({1}, set(), set(range(1, 8_190, 2)), set(), as_ranges=True)
    seconds = min(_timed(lambda: tcf.decode_segments(longest)) for _ in range(5))
    _tell(f"TC string of 4,095 ranges ({len(longest):,} characters): {seconds * 1e3:.2f} ms")
    consent_mix.report(_tell)
    _hostile(rows)
    _carriers(strings[0], next(row["string"] for row in rows if row["group"] == "gpp_multi"))


def _tell(line: str) -> None:
    print(line)  # noqa: T201 - a benchmark reports


def _against_peer(strings: Sequence[str]) -> None:
    interpreter = os.environ.get(_PEER)
    if not interpreter:
        _tell(f"iab-tcf: not compared, {_PEER} names no interpreter that has it")
        return
    with subprocess.Popen(
        [interpreter, "-c", _PEER_PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        if peer.stdin is None or peer.stdout is None:
            raise SystemExit("no pipes to the peer")

        def ask(line: str) -> Any:
            print(line, file=peer.stdin, flush=True)
            answer = peer.stdout.readline() if peer.stdout else ""
            if not answer:
                raise SystemExit(f"{interpreter} has no iab-tcf that runs")
            return json.loads(answer)

        accepted = ask(json.dumps(list(strings)))
        # In turns, so that a busy machine slows both.
        pairs = [(_per_second(accepted, tcf.decode_segments), ask(str(_SECONDS))) for _ in range(_ROUNDS)]
        peer.stdin.close()
    ours, theirs = (max(rates) for rates in zip(*pairs, strict=True))
    _tell(
        f"TC strings that both read ({len(accepted)} of {len(strings)}): "
        f"{ours:,.0f}/s, iab-tcf {theirs:,.0f}/s, ratio {ours / theirs:.1f}"
    )


def _rate(name: str, strings: Sequence[str], decode: Callable[[str], Any]) -> None:
    _tell(f"{name}: {max(_per_second(strings, decode) for _ in range(_ROUNDS)):,.0f}/s")


def _per_second(strings: Sequence[str], decode: Callable[[str], Any]) -> float:
    done, start = 0, time.process_time()
    while time.process_time() - start < _SECONDS:
        for text in strings:
            decode(text)
        done += len(strings)
    return done / (time.process_time() - start)


def _timed(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _carriers(tc: str, gpp_string: str) -> None:
    plain = "_ga=GA1.2.123456789.1600000000; session=" + "a1b2c3d4" * 16 + "; cart=" + "0f" * 40
    banner = (
        f"{plain}; OptanonAlertBoxClosed=2026-01-01T00:00:00.000Z; OptanonConsent=isGpcEnabled=0&datestamp=x&"
        "version=202411.2.0&hosts=&interactionCount=1&groups=C0001%3A1%2CC0002%3A0%2CC0003%3A1%2CC0004%3A0"
    )
    page = "v=2&tid=G-1&dl=https%3A%2F%2Fshop.example%2Fa%3Fb%3D1&ul=en-us&sr=1920x1080&_p=12345&cid=1.2&en=page_view"
    strings = f"{page}&us_privacy=1YNN&gpp={gpp_string}&gpp_sid=7&gdpr=1&gdpr_consent={tc}"
    headers = {"host": ("shop.example",), "sec-gpc": ("1",)}
    event = {
        "context.gpc": True,
        "context.us_privacy": "1YNN",
        "context.consent": {"categoryPreferences": {"Advertising": False, "Analytics": True}},
    }
    calls: dict[str, Callable[[], Any]] = {
        "no carrier": lambda: find_signals(None, None, None, {}),
        "GPC header": lambda: find_signals(headers, None, None, {}),
        "cookies without signals": lambda: find_signals(None, plain, None, {}),
        "cookies with OneTrust, cached": lambda: find_signals(None, banner, None, {}),
        "cookies with OneTrust, not cached": lambda: from_jar(open_jar(banner), DEFAULT_CATEGORIES),
        "query without signals": lambda: find_signals(None, None, page, {}),
        "query with four strings, each cached": lambda: find_signals(None, None, strings, {}),
        "query with four strings, none cached": lambda: _anew(strings),
        "event with three signals": lambda: from_context(event, DEFAULT_CATEGORIES),
    }
    for name, call in calls.items():
        _tell(f"find_signals, {name}: {_microseconds(call):.2f} µs")


def _hostile(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the dearest of all vectors, and of a megabyte of many kinds of junk, in every carrier."""
    vectors = [row.get("string") or row["string_recipe"]["prefix"] for row in rows if row.get("string") != ""]
    ranges = tc_core({1}, set(), set(range(1, 8_190, 2)), set(), as_ranges=True)
    junk = [
        "A",
        "C",
        "DBAA",
        "DBABBg~",
        "%",
        "%25",
        "=",
        "&",
        ";",
        "a=b&",
        "a=b; ",
        "gpp=DBACNY~",
        "CPXxRfAPXxRf.",
        "\u2028",
        "{",
        "1YNN",
        "?u=gdpr%3D",
    ]
    texts = [*vectors, ranges, f"DBABMA~{ranges}", *(each * (1_000_000 // len(each)) for each in junk)]
    worst = max((_dearest(text), len(text)) for text in texts)
    _tell(
        f"hostile: {len(texts)} texts in every carrier, the dearest {worst[0] * 1e3:.2f} ms ({worst[1]:,} characters; limit 5)"
    )


def _dearest(text: str) -> float:
    jar = f"OptanonConsent={text}; CookieConsent={text}; notice_gdpr_prefs={text}; didomi_token={text}"
    nested: dict[str, Any] = {"context.consent": {"tcString": text, "categoryPreferences": {text: False}}}
    ways: tuple[Callable[[], Any], ...] = (
        lambda: _forgotten(headers={"sec-gpc": (text,), "dnt": (text,)}),
        lambda: _forgotten(cookies=jar),
        lambda: _forgotten(query=f"x=1&gdpr_consent={text}"),
        lambda: _forgotten(query=f"x=1&gpp={text}&us_privacy={text}&gcd={text}"),
        lambda: _forgotten(consent=nested),
    )
    return max(min(_timed(way) for _ in range(2)) for way in ways)


def _forgotten(
    headers: Mapping[str, tuple[str, ...]] | None = None,
    cookies: str | None = None,
    query: str | None = None,
    consent: Mapping[str, Any] | None = None,
) -> object:
    for cache in (read_string, tcf.decode_cached, gpp.decode_cached):
        cache.cache_clear()
    return SignalFinder().find(headers, cookies, query, consent or {})


def _anew(query: str) -> object:
    for cache in (read_string, tcf.decode_cached, gpp.decode_cached):
        cache.cache_clear()
    return from_query(query)


def _microseconds(call: Callable[[], Any]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.process_time()
        for _ in range(2_000):
            call()
        best = min(best, (time.process_time() - start) / 2_000)
    return best * 1e6


if __name__ == "__main__":
    main()

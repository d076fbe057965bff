"""The demo shop's traffic as files: captures, the consent that people gave, and a configuration that judges them."""

import contextlib
import secrets
from importlib import resources
from itertools import islice
from pathlib import Path

import orjson

from monitor.shop import Shop

TOPICS = {"events": "shop.events", "kong": "shop.kong", "nginx": "shop.nginx", "consent": "privacy.consent.v1"}
START_MS = 1_793_606_400_000
"""The morning of 2 November 2026, in UTC."""


def record(folder: Path, pieces: int, seed: int) -> dict[str, int]:
    """Write so many pieces of the shop's traffic, a file for each topic. Gives the records of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    written = dict.fromkeys(TOPICS.values(), 0)
    with contextlib.ExitStack() as files:
        outputs = {role: files.enter_context((folder / f"{name}.jsonl").open("wb")) for role, name in TOPICS.items()}
        for piece in islice(Shop(seed, START_MS).stream(), pieces):
            # A line is a record: what is malformed stays malformed without its line breaks.
            outputs[piece.role].write(piece.value.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")
            written[TOPICS[piece.role]] += 1
    (folder / "subject.key").write_text(secrets.token_hex(32), encoding="utf-8")
    register = resources.files("monitor.shop").joinpath("register.yaml").read_text(encoding="utf-8")
    (folder / "register.yaml").write_text(register, encoding="utf-8")
    for name in ("rules", "exemptions"):
        (folder / name).mkdir(exist_ok=True)
    # JSON is YAML.
    (folder / "monitor.yaml").write_bytes(orjson.dumps(_CONFIG, option=orjson.OPT_INDENT_2) + b"\n")
    return written


_CONFIG = {
    "kafka": {"bootstrap_servers": "localhost:9092"},
    "shop": {"domains": ["shop.example"]},
    "sources": [
        {"topic": TOPICS["events"], "adapter": "segment", "service": "web-shop"},
        {"topic": TOPICS["kong"], "adapter": "kong", "service": "api-gateway", "body": "request.body"},
        {"topic": TOPICS["nginx"], "adapter": "nginx", "service": "edge"},
    ],
    "subjects": {"secret": {"file": "subject.key"}},
    "register": "register.yaml",
    "rules": ["rules"],
    "exemptions": ["exemptions"],
}

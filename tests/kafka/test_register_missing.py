"""`register missing` and `register suggest` on the monitor's own topics, on a real broker."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.context import load_shipped
from monitor.kafka import Writer, create_topics
from monitor.pipeline import process
from tests.kafka.jvm import Cluster
from topics.adapters import make
from topics.catalog import CATALOG, SHADOW
from topics.observation import AdapterOptions
from topics.record import Outgoing, RawRecord

pytestmark = pytest.mark.kafka

REGISTER = Path(__file__).parents[2] / "examples" / "register.yaml"


def test_recipients_without_an_entry_are_read_from_the_topics_of_findings(
    own_cluster: Callable[..., Cluster], tmp_path: Path
) -> None:
    # A cluster of its own: the names of these topics are fixed, and other tests count what is in them.
    bootstrap = own_cluster().bootstrap
    settings: dict[str, object] = {"bootstrap.servers": bootstrap}
    create_topics(settings, CATALOG, 1, 1)
    knowledge = load_shipped(domains=["shop.example"], register_file=REGISTER)
    log = {
        "request_method": "GET",
        "request_uri": "/x?email=ada%40example.org",
        "host": "api.intercom.io",
        "status": 200,
    }
    record = RawRecord("t", 0, 0, 1_793_620_800_000, None, json.dumps(log).encode())
    outcome = process([record], knowledge.context({"t": make("nginx", AdapterOptions())}, "c"), {})
    Writer(settings).send(
        [Outgoing(SHADOW.name, each.episode_key.encode(), msgspec.json.encode(each)) for each in outcome.folds]
    )
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef")
    config = {
        "kafka": {"bootstrap_servers": bootstrap},
        "shop": {"domains": ["shop.example"]},
        "sources": [{"topic": "t", "adapter": "nginx"}],
        "subjects": {"secret": {"file": "key"}},
    }
    file = tmp_path / "monitor.yaml"
    file.write_text(json.dumps(config))
    done = CliRunner().invoke(app, ["register", "missing", "--config", str(file), "--json"])
    assert done.exit_code == 1, (done.output, done.exception)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert "intercom" in {each["recipient"] for each in told}
    draft = CliRunner().invoke(app, ["register", "suggest", "--config", str(file)])
    assert "- id: intercom" in draft.stdout
    assert '"intercom.io", "*.intercom.io"' in draft.stdout

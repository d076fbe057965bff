"""The shipped agent as a process, on topics of its own and in a hurry: `agent_process.py BOOTSTRAP FINDINGS ROWS`."""

import sys

from alerts.agent import make_app, run
from alerts.agents import AGENTS
from alerts.agents.hourly import hourly
from monitor.logs import take_over_libraries

if __name__ == "__main__":
    bootstrap, findings, rows = sys.argv[1:]
    assert AGENTS["hourly"] is hourly
    take_over_libraries()
    app = make_app(
        f"{findings}-agent",
        # The shortest that a broker takes as it comes.
        {"bootstrap.servers": bootstrap, "session.timeout.ms": 6_000},
        partitions=2,
        findings_topic=findings,
    )
    hourly(app, topic=rows, every_seconds=0.3)
    ended = run(app)
    print(f"unreadable: {app.unreadable}", file=sys.stderr)  # noqa: T201 - for the test
    sys.exit(0 if ended else 75)

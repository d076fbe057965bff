"""`python -m monitor.audit`: the checker as a program of its own, for whoever wants nothing else of ours in the process."""

import argparse
import json
import sys
from pathlib import Path

from monitor.audit.read import AuditProblem
from monitor.audit.report import as_data, exit_code, lines
from monitor.audit.run import Wanted, audit


def main() -> int:
    """Check and report. Gives 0 when all is accounted for, 1 when not, 3 when some of it can no longer be told, 2 when it could not be done."""
    parser = argparse.ArgumentParser(
        prog="python -m monitor.audit", description="Recompute from topics alone that every offset is accounted for."
    )
    parser.add_argument("--settings", required=True, type=Path, help="JSON file with librdkafka's settings.")
    parser.add_argument("--topic", action="append", required=True, help="Source topic; may be given several times.")
    parser.add_argument("--from-ms", type=int)
    parser.add_argument("--to-ms", type=int)
    parser.add_argument("--settle-seconds", type=float, default=5.0)
    parser.add_argument(
        "--judge", nargs="*", default=(), help="Command of the judge, such as: privacy-monitor judge -c monitor.yaml"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    wanted = Wanted(options.topic, options.from_ms, options.to_ms, options.settle_seconds, tuple(options.judge))
    try:
        done = audit(json.loads(options.settings.read_text()), wanted)
    except AuditProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(json.dumps(as_data(done), indent=2) + "\n" if options.json else "\n".join(lines(done)) + "\n")
    return exit_code(done)


if __name__ == "__main__":
    sys.exit(main())

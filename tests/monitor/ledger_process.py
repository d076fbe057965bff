"""A process that reads the ledger as a worker does: a JSON question on each line, a JSON answer to each."""

import json
import sys
from pathlib import Path
from typing import Any

from monitor.ledger_reader import LedgerReader


def answer(reader: LedgerReader, question: dict[str, Any]) -> dict[str, Any]:
    view = reader.view()
    try:
        return {
            "coverage": view.coverage(question["at_ms"]).value,
            "mark": view.mark,
            "refused": [list(each.refused) for each in view.choices([question["subject"]])],
        }
    finally:
        view.close()


def main() -> None:
    reader = LedgerReader(Path(sys.argv[1]))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(reader, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

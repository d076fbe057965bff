"""The alert plane as a process, with settings that a configuration does not have: `plane_process.py BOOTSTRAP SETTINGS.json`."""

import sys
from pathlib import Path

import msgspec

from alerts.settings import AlertSettings
from monitor.alert_plane import run
from monitor.kafka import KafkaProblem
from monitor.processes import EXIT_TRY_AGAIN

if __name__ == "__main__":
    try:
        run(msgspec.json.decode(Path(sys.argv[2]).read_bytes(), type=AlertSettings), {"bootstrap.servers": sys.argv[1]})
    except KafkaProblem as error:
        print(error, file=sys.stderr)  # noqa: T201 - as the program does
        sys.exit(EXIT_TRY_AGAIN)

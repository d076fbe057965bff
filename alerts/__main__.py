"""Run the alert plane alone: `python -m alerts settings.json`."""

import logging
import sys
from pathlib import Path

import msgspec

from alerts.app import run
from alerts.settings import AlertSettings


def main() -> None:
    """Read the settings file that the command line names, and run."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m alerts SETTINGS.json")
    path = Path(sys.argv[1])
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=AlertSettings)
    except OSError as error:
        sys.exit(f"{path}: {error.strerror}")
    except msgspec.DecodeError as error:
        sys.exit(f"{path}: {error}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    run(settings)


if __name__ == "__main__":
    main()

"""`python -m monitor` is `privacy-monitor`."""

from monitor.cli import main

main()

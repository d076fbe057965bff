"""Quix Streams doing a trivial job, in a virtual environment of its own: it imports nothing of ours. Arguments: bootstrap, group, topic."""

import json
import os
import resource
import sys
import threading
import time

import orjson
from quixstreams import Application


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_mb() -> float:
    with open("/proc/self/status", encoding="ascii") as lines:  # noqa: PTH123 - nothing but the standard library
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def main() -> None:
    bootstrap, group, name = sys.argv[1:4]
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        loglevel=None,
        auto_create_topics=False,
    )
    state = {"records": 0, "first": 0.0, "last": 0.0, "began": 0.0, "ended": 0.0}

    def count(value: bytes) -> None:
        if not state["records"]:
            state["first"], state["began"] = used(), time.perf_counter()
        orjson.loads(value)
        state["records"] += 1
        if not state["records"] % 500:
            state["last"], state["ended"] = used(), time.perf_counter()

    frame = app.dataframe(app.topic(name, value_deserializer="bytes"))
    frame.apply(count)

    def end() -> None:
        while not state["ended"] or time.perf_counter() - state["ended"] < 2:
            time.sleep(0.25)
        counted = state["records"] - state["records"] % 500
        report = {"records": counted, "cpu": state["last"] - state["first"], "wall": state["ended"] - state["began"]}
        report["memory_mb"] = peak_mb()
        print(json.dumps(report), flush=True)  # noqa: T201 - the answer
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()
    app.run()


if __name__ == "__main__":
    main()

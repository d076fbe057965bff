"""One Apache Kafka for each module: the monitor's own topics have fixed names, so two monitors must not share a broker."""

from collections.abc import Iterator

import pytest

from tests.conftest import skip_or_fail
from tests.kafka.jvm import Cluster
from tests.kafka.processes import Unavailable


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    try:
        started = Cluster(1)
    except Unavailable as reason:
        skip_or_fail(f"no Apache Kafka on the JVM for the whole monitor: {reason}")
    with started:
        yield started

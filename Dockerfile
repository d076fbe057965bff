# syntax=docker/dockerfile:1
# The image of the monitor: every command of `privacy-monitor`, as user 65532, on a root file system that is only read.
#   docker build --tag privacy-monitor --build-arg REVISION="$(git rev-parse HEAD)" .
#   docker build --tag privacy-monitor --build-arg DATA= .        # without optional databases, for builds without npm's registry
ARG PYTHON=python:3.11-slim-bookworm
ARG NODE=node:22-bookworm-slim

FROM ${NODE} AS node

# Tools that build and describe; nothing of them is in the image.
FROM ${PYTHON} AS tools
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /src
COPY requirements/image.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/tools && /opt/tools/bin/python -m pip install --require-hashes -r requirements/image.txt
COPY pyproject.toml README.md LICENSE ./
COPY requirements/run.txt requirements/
COPY topics topics
COPY detectors detectors
COPY alerts alerts
COPY monitor monitor
RUN /opt/tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/tools/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
       --output-format JSON --output-file /sbom.cdx.json requirements/run.txt

# The program and what it needs, in a virtual environment, with byte code: nothing is written when it runs.
FROM ${PYTHON} AS program
WORKDIR /src
COPY requirements/run.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/privacy-monitor \
    && /opt/privacy-monitor/bin/python -m pip install --require-hashes -r requirements/run.txt
RUN --mount=type=bind,from=tools,source=/wheels,target=/wheels \
    /opt/privacy-monitor/bin/python -m pip install --no-deps --no-index /wheels/*.whl \
    && /opt/privacy-monitor/bin/python -m pip uninstall --yes pip setuptools \
    && /opt/privacy-monitor/bin/python -m compileall -q -j 0 /opt/privacy-monitor/lib

# Databases that the monitor can use: who is behind a host, and where an address is. An empty DATA leaves them out.
FROM program AS data
ARG DATA="third-party-web country"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
    && mkdir /data \
    && for set in ${DATA}; do /opt/privacy-monitor/bin/privacy-monitor data update "${set}" --folder /data || exit 1; done

FROM ${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="privacy-monitor" \
      org.opencontainers.image.description="Watches a shop's live Kafka traffic and says, with proof, where a person's privacy rights are broken." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=program /opt/privacy-monitor /opt/privacy-monitor
COPY --from=data /data /usr/share/privacy-monitor/data
COPY --from=tools /sbom.cdx.json /usr/share/privacy-monitor/
COPY LICENSE /usr/share/privacy-monitor/
ENV PATH="/opt/privacy-monitor/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# State is on volumes: /var/lib/privacy-monitor (ledger, spool). /tmp is for the alert plane's scratch files.
RUN install --directory --owner=65532 --group=65532 /var/lib/privacy-monitor
USER 65532:65532
WORKDIR /tmp
# Ledger and workers from 9464 on, alert plane, notify.
EXPOSE 9464-9472 9564 9664
STOPSIGNAL SIGTERM
# No init is needed: it answers SIGTERM itself, and as the first process it reaps what others leave behind.
ENTRYPOINT ["privacy-monitor"]
CMD ["--help"]

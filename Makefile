# Every recipe is one line that also works when typed by hand (after `make setup`).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench soak bench-detection docs site chart lock clean

help: ## list the recipes
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

# The virtual environment is made once and again whenever the locked dependencies change.
$(VENV)/.run: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ...")'
	@test -x $(BIN)/python || { echo "Making a virtual environment in $(VENV) ..." >&2; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the $$(grep -c '^[a-z].*==' requirements/run.txt) packages of the program into $(VENV), once: a minute or two ..." >&2
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-deps --editable .
	@$(BIN)/python -m compileall -q topics detectors alerts monitor
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	@echo "Installing the packages of the tests, once: another minute ..." >&2
	@$(PIP) --require-hashes -r requirements/test.txt
	@touch $@

setup: $(VENV)/.test ## make the virtual environment with all that the recipes need

demo: $(VENV)/.run ## the whole monitor on an embedded broker with a simulated shop (ARGS="--seconds 60")
	@exec $(BIN)/privacy-monitor demo $(ARGS)

test: $(VENV)/.test ## all tests, on a real Apache Kafka where one can be had (ARGS="-k name")
	@$(BIN)/python -m tests $(ARGS)

check: $(VENV)/.test ## static checks: format, lint, types, imports, shipped configuration, Dockerfile
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache && $(BIN)/privacy-monitor check --config examples/monitor.yaml
	@test ! -x $(BIN)/hadolint || $(BIN)/hadolint --failure-threshold style Dockerfile

bench: $(VENV)/.test ## throughput per step, compared as ratios in one run
	@$(BIN)/python -m tests.bench $(ARGS)

soak: $(VENV)/.test ## kills, stops and restarts without end on Apache Kafka, checked after each round (MINUTES=60)
	@$(BIN)/python -m tests.integration.soak --minutes $(or $(MINUTES),60) $(ARGS)

bench-detection: $(VENV)/.test ## precision and recall on labelled traffic, false alarms on a lawful day (ARGS="--traffic DIR")
	@$(BIN)/python -m tests.bench.detection $(ARGS)

docs: $(VENV)/.test ## write the generated parts of the documentation
	@$(BIN)/privacy-monitor docs $(ARGS) && $(BIN)/privacy-monitor rules doc --output docs/rules.md

site: $(VENV)/.test ## build the documentation as a site (into build/site)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

chart: $(VENV)/.test ## pack the Helm chart, with the shipped alerts and dashboards in it (into build/)
	@mkdir -p build && $(BIN)/python -c 'import helm_python; print(helm_python.Chart.load("helm/privacy-monitor").save("build"))' 2>/dev/null

lock: ## resolve the dependencies anew (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --extra demo pyproject.toml -o requirements/run.txt
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --group image -o requirements/image.txt
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --extra demo --extra test -c requirements/run.txt pyproject.toml -o requirements/test.txt

clean: ## remove what the recipes made
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build

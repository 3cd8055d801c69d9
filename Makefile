# VisitCue: `make run` starts it, `make test` proves it. Needs Python 3.11 or newer, make and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready.stamp

.DEFAULT_GOAL := help
.PHONY: help run test check format docs bench clean

help:  ## say what there is to call (this text)
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: $(READY)  ## start the service on 127.0.0.1:8000; it says what to open or call next
	@exec $(BIN)/visitcue serve

test: $(READY)  ## run the whole test suite
	@$(BIN)/pytest

check: $(READY)  ## lint, formatting and types, in the product and in the tests; no written page is stale
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy --strict plugin cds_hooks mappings tests
	@$(BIN)/visitcue reference --check
	@$(BIN)/python -m tests.conformance --check

format: $(READY)  ## put the imports in order and format the code
	@$(BIN)/ruff check --select I --fix
	@$(BIN)/ruff format

docs: $(READY)  ## write the generated pages anew: findings, rule books, conformance
	@$(BIN)/visitcue reference
	@$(BIN)/python -m tests.conformance

bench: $(READY)  ## measure how long a review takes
	@$(BIN)/python -m tests.bench.run

clean:  ## remove the environment and everything that was built or cached
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last, so an installation that was interrupted is repeated and one that is up to date is not.
# The constraints go through the environment because pip also has to obey them in the environment in which it builds
# the project itself: up to pip 25.2 it looks there for the first variable, later for the second.
$(READY): export PIP_CONSTRAINT := constraints.txt
$(READY): export PIP_BUILD_CONSTRAINT := constraints.txt
$(READY): export PIP_DISABLE_PIP_VERSION_CHECK := 1
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "VisitCue needs Python 3.11 or newer, which '$(PYTHON)' is not: name another one with 'make PYTHON=python3.12'." >&2; exit 1; }
	@echo "Setting up $(VENV); this happens once and takes about a minute."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

# Everything a person needs: make help
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
LOCK := --quiet --universal --python-version 3.11 --extra local --generate-hashes --no-strip-extras --no-header

.PHONY: help setup run test check lock chaos bench

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 10

setup: $(READY)  ## make .venv with the command `dateline` in it

$(READY): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Dateline needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY)  ## see Dateline do its job: a recorded day through a real Kafka
	@$(BIN)/dateline demo

test: $(READY)  ## all tests, on real Kafkas, in two processes
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: $(READY)  ## ruff, mypy, import rules, generated files, lengths
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m schemas.export --check
	@$(BIN)/python -m schemas.compatibility --against HEAD
	@$(BIN)/python -m pipeline.config --check
	@$(BIN)/python -m pipeline.security --check
	@$(BIN)/python -m tests.architecture.lengths

lock: $(READY)  ## write requirements/ anew from pyproject.toml; what is pinned there stays, where it can
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile $(LOCK) --output-file requirements/run.txt pyproject.toml
	@$(BIN)/uv pip compile $(LOCK) --group dev --output-file requirements/dev.txt pyproject.toml

chaos: $(READY)  ## 300 faults and more on one and three nodes, and whether any record is lost, doubled or changed
	@$(BIN)/python -m tests.chaos

bench: $(READY)  ## speed and memory, against a bare aiokafka copy in the same run
	@$(BIN)/python -m tests.bench

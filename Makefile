# Two commands do everything on a fresh machine with Python 3.11+ (venv, pip), make and git:
#   make drill    rehearse a complete failover on the simulated estate
#   make test     run the tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
PEERS := $(VENV)/peers
MEASURES := $(VENV)/.measures
COVERS := $(VENV)/covers

.PHONY: drill test drills estate-test torture coverage mutation bench check format lint types contracts docs screenshots clean scenarios

# On a terminal the full screen; otherwise line by line, answering for itself. ARGS="--help" shows more.
drill: $(RUN)
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/handrail drill $(ARGS); else $(BIN)/handrail drill --auto $(ARGS); fi

test: $(DEV)
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder --ignore tests/estate -m "not drill" $(ARGS)

# The drills that take a minute or more: every shipped runbook there and back, kills at random, refused writes.
drills: $(DEV)
	$(BIN)/pytest -n 3 --dist load --ignore tests/estate -m drill $(ARGS)

# The same runbooks on real OpenSSH, BIND, Knot, rsync, sudo and Puppet, in network namespaces: Linux, root, and the packages
# that .ci/run installs. What is missing is skipped by name; with HANDRAIL_REAL=1 it fails.
estate-test: $(DEV)
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(or $(ARGS),tests/estate)

# What breaks consoles, links, disks and names, at CI's sizes: seven minutes on two quiet cores. FULL=1 takes those of a long
# night. It prints a table.
torture: $(DEV)
	HANDRAIL_TORTURE=$(if $(FULL),full,ci) $(BIN)/pytest -n 3 --dist load --ignore tests/estate -m torture $(ARGS)

# Whether every line and branch of what the promise rests on is run by its own tests (pyproject.toml says of what), without what
# is drawn by lot: a floor of 100 % may not hang on luck. It takes a Python newer than 3.11, which forgets the tracer
# when an exception is thrown into an `await`; NEWER names one.
COVERED ?= tests/engine tests/store tests/base tests/dns tests/ssh
coverage: $(COVERS)/.done
	$(COVERS)/bin/coverage erase
	$(COVERS)/bin/coverage run -m pytest -n 2 --dist loadscope --ignore tests/engine/test_walks.py -m "not hypothesis" $(COVERED) $(ARGS)
	$(COVERS)/bin/coverage combine --quiet
	$(COVERS)/bin/coverage report

# Break what the promise rests on in thousands of small ways: does a test notice? It goes on where it was stopped, takes two
# hours or more, and writes docs/mutants.md; ARGS takes names of mutants.
MUTATED := build/mutation
mutation: $(DEV) $(MEASURES)
	mkdir -p $(MUTATED)/tests
	cp -r src runbooks docs pyproject.toml README.md $(MUTATED)
	cp -r tests/*.py tests/base tests/dns tests/engine tests/ssh tests/store $(MUTATED)/tests
	cd $(MUTATED) && $(abspath $(BIN))/mutmut run --max-children 2 $(ARGS)
	$(BIN)/python docs/mutants.py $(MUTATED)

# Every scenario that ships, played by who does the right thing and by who does the obvious wrong thing.
scenarios: $(DEV)
	HANDRAIL_SCENARIOS=all $(BIN)/pytest -n 6 --dist load $(or $(ARGS),tests/scenarios)

# How fast it is, beside what one would take instead: a quarter of an hour on a quiet machine of two cores, written to
# benchmarks/results.md. ARGS="start journal" measures only those and prints them; the peers get a venv of their own.
bench: $(DEV) $(PEERS)/.done
	$(BIN)/python -m benchmarks $(ARGS)

# What CI ends with, after the real estate and the tortures.
check: format lint types contracts test

format: $(DEV)
	$(BIN)/ruff format --check src tests docs benchmarks

lint: $(DEV)
	$(BIN)/ruff check src tests docs benchmarks

types: $(DEV)
	$(BIN)/mypy

contracts: $(DEV)
	$(BIN)/lint-imports

# What is generated from the code: reference, states, exit codes, schema.
docs: $(DEV)
	$(BIN)/python docs/generate.py

screenshots: $(DEV)
	$(BIN)/python screenshots/make.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUN): pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV), with the tools for tests ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(RUN)

$(PEERS)/.done: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers/requirements.txt
	@touch $@

NEWER ?= $(shell for each in python3.14 python3.13 python3.12 python3 "$$HOME"/.pyenv/versions/3.1[2-9]*/bin/python3; do \
  "$$each" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && { echo "$$each"; break; }; done)
$(COVERS)/.done: pyproject.toml
	@[ -n "$(NEWER)" ] || { echo "no Python newer than 3.11 is here: make coverage NEWER=/path/to/python3"; exit 1; }
	@echo "installing what measures into $(COVERS), with $(NEWER) ..."
	@$(NEWER) -m venv $(COVERS)
	@$(COVERS)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,measures]'
	@touch $@

$(MEASURES): pyproject.toml | $(DEV)
	@echo "installing what measures into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[measures]'
	@touch $@

# Each target needs nothing but Python 3.11 or newer: the rest is installed into .venv and frontend/node_modules.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check -c constraints.txt
RUFF := $(BIN)/ruff

.PHONY: run test check bench browser

run: .venv/run
	@$(BIN)/python hatch_build.py
	@$(BIN)/playground serve --host $(HOST) --port $(PORT)

test: .venv/dev browser
	@$(BIN)/python hatch_build.py && $(BIN)/python hatch_build.py run test
	@$(BIN)/python -m pytest $(ARGS)

check: .venv/dev
	@$(RUFF) check . && $(RUFF) format --check . && $(BIN)/lint-imports --no-logo --no-cache && $(BIN)/pyright
	@$(BIN)/python hatch_build.py run check

bench: .venv/bench browser
	@$(BIN)/python hatch_build.py && $(BIN)/python -m bench $(ARGS)

browser: .venv/dev
	@$(BIN)/python -m tests.e2e.browser

.venv/run: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(INSTALL) -e . && touch $@

.venv/dev: .venv/run
	@$(INSTALL) -e '.[dev]' && touch $@

.venv/bench: .venv/dev
	@$(INSTALL) -e '.[bench]' && touch $@

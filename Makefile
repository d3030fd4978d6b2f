# Each target needs nothing but Python 3.11 or newer: the rest is installed into .venv and frontend/node_modules.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
# Most of what is installed is never imported, and need not be compiled.
INSTALL := $(BIN)/pip install --disable-pip-version-check --no-compile -c constraints.txt
RUFF := $(BIN)/ruff
# $(call timed,NAME,COMMAND) says how long the command took.
timed = start=$$(date +%s); $(2) && echo "make: $(1) took $$(($$(date +%s) - start)) s"
# pip and npm at the same time, the kernel and the page's tests
MAKEFLAGS += --jobs=2

# The page's types follow from what the server says of itself.
TYPES = $(BIN)/python -m playground.web.openapi page | $(BIN)/python hatch_build.py run types

.PHONY: run test check types bench page page-tests browser database kernel

run: .venv/run page
	@$(BIN)/playground serve --host $(HOST) --port $(PORT)

test: .venv/dev page-tests browser database kernel
	@$(call timed,the tests,$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS))

check: .venv/dev page
	@$(RUFF) check . && $(RUFF) format --check . && $(BIN)/lint-imports --no-logo --no-cache && $(BIN)/pyright
	@$(TYPES) -- --check
	@$(BIN)/python hatch_build.py run check

types: .venv/dev
	@$(TYPES)

bench: .venv/bench page browser
	@$(BIN)/python -m bench $(ARGS)

page: | $(BIN)/python
	@$(call timed,the page,$(BIN)/python hatch_build.py)

page-tests: page
	@$(call timed,the page's tests,$(BIN)/python hatch_build.py run test)

browser: .venv/dev
	@$(call timed,the browser,$(BIN)/python -m tests.e2e.browser)

database: .venv/dev
	@$(call timed,the database,$(BIN)/python -m tests.postgres)

kernel: .venv/dev
	@$(call timed,the kernel,$(BIN)/python -m playground.training.compiled.loading)

$(BIN)/python:
	@$(call timed,venv,$(PYTHON) -m venv .venv)

.venv/run: pyproject.toml constraints.txt | $(BIN)/python
	@$(call timed,pip,$(INSTALL) -e .) && touch $@

.venv/dev: pyproject.toml constraints.txt | $(BIN)/python
	@$(call timed,pip,$(INSTALL) -e '.[dev]') && touch .venv/run $@

.venv/bench: .venv/dev
	@$(call timed,pip,$(INSTALL) -e '.[bench]') && touch $@

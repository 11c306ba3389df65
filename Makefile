# Two commands matter: `make demo` and `make test`. All set-up lands in .venv/ and var/.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 8000
export PORT

.PHONY: help setup setup-dev demo serve test test-full lint bench lock messages clean

help: ## what one can do
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.base: requirements/base.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Tongzhou needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the mall needs (about a minute the first time) …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	@echo "Installing what the tests need …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

messages: $(VENV)/.base
	@$(PY) tools/messages.py compile

setup: $(VENV)/.base messages ## install only
	@mkdir -p var

setup-dev: $(VENV)/.dev messages

demo: setup ## set up, fill with living demo data if empty, serve at http://127.0.0.1:$(PORT)
	@$(VENV)/bin/tongzhou demo up --port $(PORT)

serve: setup ## web, worker (and the sandbox counterparty outside production)
	@$(VENV)/bin/tongzhou serve --port $(PORT)

test: setup-dev ## lint, types, tests on SQLite and on PostgreSQL when a server is there, browser journeys
	@$(PY) tools/test.py

test-full: setup-dev ## everything, long properties and all journeys
	@$(PY) tools/test.py --full

lint: setup-dev ## ruff, djade, import-linter, mypy, translations
	@$(PY) tools/lint.py

bench: setup-dev ## the figures of the README
	@$(PY) -m benchmarks

lock: setup-dev ## renew the locked dependencies (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/base.in -o requirements/base.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/dev.in -o requirements/dev.txt

clean: ## remove everything that set-up and the demo made
	rm -rf $(VENV) var build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

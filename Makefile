# `make demo` and `make test` need no further set-up. See README.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

CORES ?= 2
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
READY := $(VENV)/.requirements
LIBRARY := workflow/scripts
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
# a user's configuration is run in its own folder, so that relative paths and results are beside it
CONFIG_PATH = $(abspath $(CONFIG))
RUN_FOLDER = $(dir $(CONFIG_PATH))

.PHONY: help demo run check test test-full lint format lock docs clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "stratifn needs Python 3.11, 3.12 or 3.13: install one, or set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	touch $@

demo: $(READY) ## run the pipeline on the built-in cohort
	$(BIN)/snakemake --cores $(CORES) --quiet rules
	@echo "The report: $(CURDIR)/results/demo/report/index.html"

run: $(READY) ## run the pipeline on your cohort: make run CONFIG=my.yaml CORES=8
	@test -n "$(CONFIG)" || { echo "Name your configuration: make run CONFIG=my.yaml" >&2; exit 1; }
	PYTHONPATH=$(LIBRARY) $(BIN)/python -m stratifn.configuration.config workflow/schemas/config.schema.yaml "$(CONFIG_PATH)"
	$(BIN)/snakemake --snakefile Snakefile --directory "$(RUN_FOLDER)" --configfile "$(CONFIG_PATH)" --cores $(CORES)
	@echo "The reports are in $(RUN_FOLDER)results/*/report/index.html"

check: $(READY) ## only validate your configuration and inputs: make check CONFIG=my.yaml
	@test -n "$(CONFIG)" || { echo "Name your configuration: make check CONFIG=my.yaml" >&2; exit 1; }
	PYTHONPATH=$(LIBRARY) $(BIN)/python -m stratifn.configuration.config workflow/schemas/config.schema.yaml "$(CONFIG_PATH)"
	$(BIN)/snakemake check --snakefile Snakefile --directory "$(RUN_FOLDER)" --configfile "$(CONFIG_PATH)" \
		--cores $(CORES) --quiet rules
	@echo "Configuration and inputs are fine."

test: $(READY) ## all tests except the long ones
	$(BIN)/python -m pytest -m "not full"

test-full: $(READY) ## every test
	$(BIN)/python -m pytest

lint: $(READY) ## what CI checks in addition to the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@# in the scripts `snakemake` is undefined; ruff finds other undefined names
	$(BIN)/mypy --follow-imports silent --disable-error-code name-defined $(LIBRARY)/*.py
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(READY) ## format Python and Snakemake code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

docs: $(READY) ## write the pages that are made from the schema and the registries
	PYTHONPATH=$(LIBRARY) $(BIN)/python -m stratifn.configuration.reference workflow/schemas/config.schema.yaml config/README.md
	PYTHONPATH=$(LIBRARY) $(BIN)/python -m stratifn.configuration.claims_page docs/claims.md
	PYTHONPATH=$(LIBRARY) $(BIN)/python docs/registries.py docs/registries.md

lock: ## compile requirements.lock again (needs uv)
	uv pip compile --universal --fork-strategy fewest --generate-hashes --all-extras --no-header \
		pyproject.toml --output-file requirements.lock

clean: ## remove the environment and the results of the demo
	rm -rf $(VENV) .snakemake results logs benchmarks/demo

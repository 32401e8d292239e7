# liangku (两库): `make demo` sets up and scans the samples, `make test` sets up and passes the tests.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/demo
KNOWLEDGE := $(wildcard knowledge_base/sources/*) $(wildcard rules/*.toml)
SAMPLES := data/samples/national
BUILT := knowledge_base/built/rules.plan.json
# How many tests run side by side; a file stays with one worker, and with it its servers and browser.
JOBS ?= auto
# pytest prepares each module of tests anew in every worker where nothing may be cached.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(JOBS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test quick check bench kb samples wheel clean

help: ## show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

demo: $(VENV)/.run $(BUILT) ## set up, and scan the sample settlements into out/demo
	@# Exit code 1 says that something was found, as it should be here.
	$(BIN)/liangku scan $(SAMPLES)/fee_list_d.parquet --settlements $(SAMPLES)/setl_d.parquet --visits $(SAMPLES)/mdtrt_d.parquet \
		--diagnoses $(SAMPLES)/setl_list_diag_d.parquet --out $(OUT) --csv --force || test $$? -eq 1

test: $(VENV)/.dev $(BUILT) ## set up, and run all tests (JOBS=2 side by side)
	$(PYTEST)

quick: $(VENV)/.dev $(BUILT) ## the fast tests, within a minute: all but browsers, large random samples, whole documents, files of every form, restarts, git, wheels
	$(PYTEST) -m "not slow"

check: $(VENV)/.dev $(BUILT) ## lint, types, every rule through all its stages, and the knowledge base through its checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/liangku rules check
	$(BIN)/liangku kb check

bench: $(VENV)/.bench $(BUILT) ## measure against a bare query, pandas and row engines; writes docs/benchmarks.md (see ARGS)
	$(BIN)/python -m benchmarks.run $(ARGS)

kb: $(VENV)/.run ## build the embedded knowledge base from its sources
	$(BIN)/liangku kb build

samples: $(VENV)/.dev ## make data/samples again (fixed seed: nothing changes unless the plan does)
	$(BIN)/python data/make_samples.py
	$(BIN)/python data/make_workbook.py
	$(BIN)/python data/make_inputs.py

wheel: $(VENV)/.dev ## build the wheel into dist/
	$(BIN)/python -m build --wheel

clean: ## remove what was made
	rm -rf $(VENV) dist build out knowledge_base/built benchmarks/data .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "liangku needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	@# Debian keeps venv in a package of its own.
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); apt-get update -q && apt-get install -qy python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.run: $(BIN)/python pyproject.toml hatch_build.py
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@# pip compiles what it installs, but not a folder that it only points to: every command would do it again where nothing may be cached.
	$(BIN)/python -m compileall -q checker
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

$(BUILT): $(VENV)/.run $(KNOWLEDGE)
	$(BIN)/liangku kb build
	@touch $@

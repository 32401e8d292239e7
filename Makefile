# liangku (两库): `make demo` sets up and scans the samples, `make test` sets up and passes the tests.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What writes locks and bills of materials has dependencies of its own, which are none of the project's.
TOOLS := $(VENV)/tools
OUT ?= out/demo
KNOWLEDGE := $(wildcard knowledge_base/sources/*) $(wildcard rules/*.toml)
SAMPLES := data/samples/national
BUILT := knowledge_base/built/rules.plan.json
# How many tests run side by side, one more than there are processors, as some wait; a file stays with one worker, and with it its servers and browser.
JOBS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
# pytest prepares each module of tests anew in every worker where nothing may be cached.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(JOBS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test quick soak check bench kb samples wheel lock sbom clean
# With LOCKED=1 just the files are installed whose hashes stand in requirements/, as in CI and the image; else what pyproject.toml allows.
PIP = $(BIN)/pip install --quiet --disable-pip-version-check
UV_VERSION := 0.13.9
CYCLONEDX_VERSION := 7.5.0

help: ## show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

demo: $(VENV)/.run $(BUILT) ## set up, and scan the sample settlements into out/demo
	@# Exit code 1 says that something was found, as it should be here.
	$(BIN)/liangku scan $(SAMPLES)/fee_list_d.parquet --settlements $(SAMPLES)/setl_d.parquet --visits $(SAMPLES)/mdtrt_d.parquet \
		--diagnoses $(SAMPLES)/setl_list_diag_d.parquet --out $(OUT) --csv --force || test $$? -eq 1
	@echo "命令在 $(BIN)/liangku；要在任何文件夹直接输入 liangku，请运行：export PATH=\"$(CURDIR)/$(BIN):\$$PATH\""
	@echo "The command is $(BIN)/liangku; to call it liangku from any folder, run: export PATH=\"$(CURDIR)/$(BIN):\$$PATH\""

test: $(VENV)/.dev $(BUILT) ## set up, and run all tests (JOBS=2 side by side)
	$(PYTEST)

quick: $(VENV)/.dev $(BUILT) ## the fast tests, within a minute: all but browsers, large random samples, whole documents, files of every form, crosswalks, layers of rules, restarts, git, wheels
	$(PYTEST) -m "not slow"

soak: $(VENV)/.dev $(BUILT) ## the random and the rough tests at length, for an hour or so: scans killed, engines, counter and service held against each other
	LIANGKU_KILLS=20 LIANGKU_ORACLE=60 LIANGKU_ORACLE_LINES=2000 LIANGKU_EQUALITY=20000 LIANGKU_FUZZ=20000 LIANGKU_SCHEMATHESIS=200 \
		LIANGKU_RELOAD_SECONDS=60 LIANGKU_DAY_PER_HOUR=3600 LIANGKU_SPARK_LINES=25000 LIANGKU_ONE_ITEM=1000000 $(PYTEST) $(SOAK)

SOAK = tests/test_audit.py tests/test_resume.py tests/test_spark.py tests/test_oracle.py tests/shapes tests/service/test_scan_equality.py tests/service/test_fuzz_national.py \
	tests/service/test_openapi.py tests/service/test_reload.py tests/service/test_keeping.py

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
	$(BIN)/python data/make_city.py data/samples/city --lines 60000 --institutions 4 --months 2026-03 2026-04

wheel: $(VENV)/.dev ## build the wheel into dist/
	$(BIN)/python -m build --wheel

lock: $(TOOLS)/.uv ## write requirements/*.lock anew: exact versions and the hashes of all their files on PyPI, for every platform (UPGRADE=1: the newest)
	for extra in serve dev; do $(COMPILE) --extra $$extra -o requirements/$$extra.lock pyproject.toml || exit 1; done
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(COMPILE) -c requirements/serve.lock -o requirements/build.lock -

COMPILE = $(TOOLS)/bin/uv pip compile --quiet $(if $(UPGRADE),--upgrade) --universal --generate-hashes --python-version 3.11 --default-index https://pypi.org/simple \
	--custom-compile-command "make lock"

sbom: $(TOOLS)/.cyclonedx ## write dist/sbom.cdx.json, the bill of materials (CycloneDX) of the service as requirements/serve.lock has it
	@mkdir -p dist
	$(TOOLS)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON -o dist/sbom.cdx.json requirements/serve.lock

$(TOOLS)/.uv: $(BIN)/python
	$(BIN)/python -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(TOOLS)/.cyclonedx: $(BIN)/python
	$(BIN)/python -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check cyclonedx-bom==$(CYCLONEDX_VERSION)
	@touch $@

clean: ## remove what was made
	rm -rf $(VENV) dist build out knowledge_base/built benchmarks/data .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "liangku needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	@# Debian keeps venv in a package of its own.
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); apt-get update -q && apt-get install -qy python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.run: $(BIN)/python pyproject.toml hatch_build.py
	$(PIP) $(if $(LOCKED),--require-hashes -r requirements/dev.lock,-e .)
	$(if $(LOCKED),$(PIP) --no-deps --no-build-isolation -e .)
	@# pip compiles what it installs, but not a folder that it only points to: every command would do it again where nothing may be cached.
	$(BIN)/python -m compileall -q checker
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(if $(LOCKED),,$(PIP) -e '.[dev]')
	@touch $@

$(VENV)/.bench: $(VENV)/.run
	$(PIP) -e '.[bench]'
	@touch $@

$(BUILT): $(VENV)/.run $(KNOWLEDGE)
	$(BIN)/liangku kb build
	@touch $@

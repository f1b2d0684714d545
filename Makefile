# Everything happens in .venv, which each target sets up when it is not there yet.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BUDGET ?= 60s
SEED ?= 1
JOBS ?= 2
PEERS := moto ministack dynalite dynoxide dynamodb-local

.PHONY: runs run test lint check types imports unit smoke cover power peers browser soak bench hostile docs published clean setup

run: setup ## The main job: the suite against moto, ending in a report
	@$(BIN)/dynoracle run moto --budget $(BUDGET) --seed $(SEED) --out runs/moto --fail-on none
	@echo "report: runs/moto/report.html"

test: setup lint types imports unit runs smoke ## Everything CI runs

setup: $(READY)

# $(call install,EXTRA): this project and one of its extras, in the versions that constraints.txt names.
define install
if command -v uv >/dev/null 2>&1; then \
	test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) $(VENV); \
	uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[$(1)]'; \
else \
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(1)]'; \
fi
endef

$(READY): pyproject.toml constraints.txt
	@$(call install,dev)
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --strict .github action.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest -q -n $(JOBS) -m "not peer and not slow and not browser"

smoke: setup ## A short real run against moto, and the soundness of the reference
	$(BIN)/dynoracle run moto --budget 15s --seed 1 --out runs/smoke-moto --fail-on none
	$(BIN)/dynoracle run reference --budget 15s --seed 1 --out runs/smoke-reference

runs: setup ## Whole runs: kills, hangs, interrupts, resumes
	$(BIN)/pytest -q -m slow tests/unit

cover: setup
	$(BIN)/pytest -q -n $(JOBS) -m "not peer and not slow and not browser" --cov --cov-report=term

power: setup ## How many planted bugs the suite finds; of mutants with MUTANTS=100
	JOBS=$(JOBS) $(BIN)/python -m tests.planted.power

peers: setup ## Real clients and the other emulators
	$(BIN)/pytest -q -m peer tests/peers

browser: setup ## The pages in Chromium; installs it where it may
	@$(call install,browser)
	$(BIN)/pytest -q -m browser tests/browser

soak: setup ## The reference judged against its own server: nothing may be found
	$(BIN)/dynoracle run reference --budget $(or $(SOAK),10m) --seed $(SEED) --out runs/soak
	$(BIN)/python -m tests.properties.soak --seconds $(or $(SOAK_SECONDS),600)

bench: setup ## The reference beside the emulators, and in process
	$(BIN)/python -m benchmarks.serve
	$(BIN)/python -m benchmarks.inprocess
	$(BIN)/python -m benchmarks.proxy
	$(BIN)/python -m benchmarks.checkers

hostile: setup ## A hundred thousand hostile requests
	$(BIN)/python -m benchmarks.hostile --requests $(or $(REQUESTS),100000) --seed $(SEED)

published: setup ## The five emulators as this version sees them: reports/published
	@for target in $(PEERS); do \
		$(BIN)/dynoracle run $$target --budget $(or $(PUBLISH),5m) --seed $(SEED) --out runs/published/$$target --fail-on none || exit $$?; \
		cp runs/published/$$target/summary.md reports/published/$$target.md; \
	done
	$(BIN)/dynoracle matrix $(PEERS:%=runs/published/%) --out reports/published/matrix.html
	$(BIN)/dynoracle matrix $(PEERS:%=runs/published/%) --out reports/published/matrix.md

docs: setup
	$(BIN)/python -m docs.generate

clean:
	rm -rf $(VENV) runs .mypy_cache .ruff_cache .pytest_cache

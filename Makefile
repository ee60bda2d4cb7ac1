# Two commands for a fresh machine: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
CREATED := $(VENV)/.created

# Whatever decides what is installed stands in the stamp's name: change it, and the install is done anew.
# The stamp is written last, so an interrupted install is never taken for a finished one.
PINS := $(shell cat requirements.txt | cksum | tr -d ' ')
DEV_PINS := $(shell cat requirements.txt requirements-dev.txt | cksum | tr -d ' ')
RUN_STAMP := $(VENV)/.installed-$(PINS)
DEV_STAMP := $(VENV)/.installed-dev-$(DEV_PINS)
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

# make demo SEED=3 ROUNDS=5, or make demo ARGS="--seed 3 --rounds 5 --keep-running"
DEMO_ARGS = $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(KEEP),--keep-running) $(ARGS)

.PHONY: help demo test up manage lint bench bench-market bench-money bench-races bench-joint bench-scale bench-vetting bench-selection clean install install-dev

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUN_STAMP) ## Run the closed loop once, on real scans, with eight simulated vendors over HTTP
	@exec $(PY) -m embedded.demo $(DEMO_ARGS)

test: $(DEV_STAMP) ## Run all tests (ARGS="tests/core -x" narrows them down)
	@if command -v chromium >/dev/null; then exec $(PY) -m pytest $(ARGS); fi; \
	echo "No chromium on this machine: the tests in the browser are left out (Debian: apt-get install chromium)."; \
	exec $(PY) -m pytest -m "not browser" $(ARGS)

up: $(RUN_STAMP) ## Run the service for development until Ctrl-C
	@exec $(PY) -m embedded --logs

manage: $(RUN_STAMP) ## Run a management command on the running service (ARGS="createsuperuser")
	@exec $(PY) -m embedded.manage $(ARGS)

lint: $(DEV_STAMP) ## Check style, types, import contracts and dependencies
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/deptry .

bench: $(RUN_STAMP) ## Run the benchmarks; each prints its table and the limit beside it
	@for file in benchmarks/*/__main__.py; do name=$$(basename $$(dirname $$file)); echo "== $$name"; $(PY) -m benchmarks.$$name $(ARGS); done

bench-market: $(RUN_STAMP) ## Measure the market: offers, expiries, accepts, idle cost (ARGS="--full --write")
	@$(PY) -m benchmarks.market $(ARGS)

bench-money: $(RUN_STAMP) ## Crash and kill money under all faults (resumable; long: ARGS="--points 100000 --kills 5000 --write")
	@mkdir -p .labelyard && exec nice $(PY) -m benchmarks.money --state .labelyard/money.json $(ARGS)

bench-joint: $(RUN_STAMP) ## Choosing, vetting and routing in one, against step by step (ARGS="--data DIR --out FILE")
	@$(PY) -m benchmarks.joint $(ARGS)

bench-scale: $(RUN_STAMP) ## Choose from 100,000 and a million records (ARGS="--write", --peers PYTHON, --data DIR)
	@$(PY) -m benchmarks.scale $(ARGS)

bench-races: $(RUN_STAMP) ## Race for a million decisions with kills, no broker (resumable; ARGS="--decisions 20000")
	@mkdir -p .labelyard && exec $(PY) -m benchmarks.races --decisions 1000000 --state .labelyard/races.json --write $(ARGS)

# The peers' packages conflict with ours (an older scikit-learn), and --no-deps leaves transformers out.
PEERS ?= .venv-peers
PEERS_STAMP := $(PEERS)/.installed-$(shell cat benchmarks/vetting/peers.txt | cksum | tr -d ' ')

$(PEERS_STAMP): | $(CREATED)
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r benchmarks/vetting/peers.txt
	@rm -f $(PEERS)/.installed-* && touch $@

bench-vetting: $(RUN_STAMP) $(PEERS_STAMP) ## Compare label vetting with its peers (DATA=folder of real sets; 20 min)
	@$(PY) -m benchmarks.vetting --peers $(PEERS)/bin/python $(if $(DATA),--data $(DATA)) \
	  --json docs/measurements/vetting.json --page docs/measurements/vetting.md $(ARGS)

# A cache of its own: these packages need not get along with the other peers.
SELECTION_PEERS ?= .labelyard/cache/selection-peers
SELECTION_STAMP := $(SELECTION_PEERS)/.installed-$(shell cat benchmarks/selection/peers.txt | cksum | tr -d ' ')

$(SELECTION_STAMP): | $(CREATED)
	@mkdir -p $(dir $(SELECTION_PEERS)) && $(PYTHON) -m venv $(SELECTION_PEERS)
	@$(SELECTION_PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r benchmarks/selection/peers.txt
	@rm -f $(SELECTION_PEERS)/.installed-* && touch $@

bench-selection: $(RUN_STAMP) $(SELECTION_STAMP) ## Compare all strategies and the peers (resumable; DATA=folder of pools)
	@nice $(PY) -m benchmarks.selection --full --peers $(SELECTION_PEERS)/bin/python $(if $(DATA),--data $(DATA)) $(ARGS)

clean: ## Remove what the service, the tests and the tools wrote (not the installed packages)
	@if [ -x $(PY) ]; then $(PY) -m embedded.clean; fi
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

install: $(RUN_STAMP) ## Install what the service needs into .venv
install-dev: $(DEV_STAMP) ## Install what tests and checks need as well

$(CREATED):
	@command -v $(PYTHON) >/dev/null || { echo "Labelyard needs Python 3.11 or later and found no '$(PYTHON)'; give one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Labelyard needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) -V 2>&1); give another: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "'$(PYTHON) -m venv' failed (on Debian: apt-get install python3-venv)" >&2; exit 1; }
	@touch $@

$(RUN_STAMP): | $(CREATED)
	@echo "Installing the pinned packages (once; some minutes with a slow connection) ..."
	@$(PIP) -r requirements.txt
	@rm -f $(VENV)/.installed-[0-9]* && touch $@

$(DEV_STAMP): | $(CREATED)
	@echo "Installing the pinned packages for tests and checks (once) ..."
	@$(PIP) -r requirements-dev.txt
	@rm -f $(VENV)/.installed-* && touch $(RUN_STAMP) $@

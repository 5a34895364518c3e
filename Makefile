# `make run` starts the app, `make test` checks everything; both set up .venv first.
# Override what differs on your machine, as in: make run PYTHON=python3.12 PORT=8600
# With ADDRESS=0.0.0.0 others reach the app too: it then hides this machine's folders and token from them.

PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= localhost
CASES ?= 10000
SEED ?= 0

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install -q --no-input --disable-pip-version-check

# Stamps: a requirements file that is newer than its stamp is installed again, otherwise nothing is.
CREATED := $(VENV)/.created
RUN_READY := $(VENV)/.ready-to-run
TEST_READY := $(VENV)/.ready-to-test

TORCH := $(shell grep '^torch==' constraints.txt)
CPU_INDEX := https://download.pytorch.org/whl/cpu
# The alarm ends the probe after four seconds, even inside a name look-up, which no socket timeout covers.
PROBE := import signal, urllib.request; signal.alarm(4); urllib.request.urlopen('$(CPU_INDEX)/torch/')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test check fuzz format lock audit clean browser

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: $(RUN_READY) ## Start the app on http://localhost:8501 (PORT=..., ADDRESS=... for others)
	@$(BIN)/python -m seq2seq serve --address $(ADDRESS) --port $(PORT)

test: $(TEST_READY) browser check ## Linters, types and all tests
	@echo "Running the tests"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

check: $(TEST_READY) ## Linters and types only
	@echo "Checking style and types"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy

fuzz: $(TEST_READY) ## Read generated inputs (CASES=10000, SEED=0)
	@SEQ2SEQ_FUZZ=$(CASES) SEQ2SEQ_FUZZ_SEED=$(SEED) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m fuzz tests/fuzz

format: $(TEST_READY) ## Rewrite the code in the agreed format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

# Without torch and what its builds for NVIDIA cards bring: the image chooses one of its builds.
lock: $(CREATED) ## Write requirements.lock anew: exact releases with hashes, for the image
	@$(PIP_INSTALL) uv
	@$(BIN)/uv pip compile requirements.txt -c constraints.txt --quiet --upgrade --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --python-version 3.11 \
		--python-platform x86_64-manylinux_2_28 \
		| awk '/^[^ ]/ { keep = !/^(torch|triton|nvidia-|cuda-)/ } keep' > requirements.lock

audit: $(CREATED) ## Ask whether known faults are in what requirements.lock names
	@$(PIP_INSTALL) pip-audit
	@$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.lock

clean: ## Remove .venv and all caches
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
	@find . -name .git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

$(CREATED):
	@found=$$("$(PYTHON)" -c 'import sys; print("Python " + sys.version.split()[0])' 2>/dev/null || echo missing); \
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed but '$(PYTHON)' is $$found: install one and name it, as in 'make $(or $(firstword $(MAKECMDGOALS)),run) PYTHON=python3.12'." >&2; \
		exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing: install it (on Debian and Ubuntu: sudo apt install python3-venv) and try again." >&2; \
		exit 1; }
	@echo "Creating $(VENV)"
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

# The default torch for Linux brings several GB of CUDA libraries. Without an NVIDIA card, the small CPU
# build does the same, so it is taken where its index answers; elsewhere pip's default is right.
$(RUN_READY): requirements.txt constraints.txt | $(CREATED)
	@echo "Installing what the app needs (a few minutes the first time)"
	@if [ "$$(uname -s)" = Linux ] && ! nvidia-smi -L >/dev/null 2>&1 \
		&& { $(BIN)/python -c "$(PROBE)"; } 2>/dev/null; \
	then \
		$(PIP_INSTALL) "$(TORCH)" --index-url $(CPU_INDEX) \
			|| echo "No CPU build of torch for this machine: taking the default one"; \
	fi
	@$(PIP_INSTALL) -r requirements.txt -c constraints.txt
	@touch $@

$(TEST_READY): requirements-dev.txt $(RUN_READY)
	@echo "Installing what the tests need"
	@$(PIP_INSTALL) -r requirements-dev.txt -c constraints.txt
	@touch $@

# Playwright's own browser download is not used: the system's Chromium also gets security updates.
browser:
	@for name in chromium chromium-browser google-chrome; do \
		command -v $$name >/dev/null && exit 0; \
	done; \
	as_root="sudo -n"; [ "$$(id -u)" != 0 ] || as_root=""; \
	if command -v apt-get >/dev/null && $$as_root true 2>/dev/null; then \
		echo "Installing Chromium for the browser tests"; \
		$$as_root apt-get -qq update \
			&& $$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
				--no-install-recommends chromium </dev/null >/dev/null; \
	else \
		echo "The browser tests need Chromium: install it (Debian: sudo apt install chromium, macOS: brew install --cask chromium) and try again." >&2; \
		exit 1; \
	fi

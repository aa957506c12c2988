# Attention Atlas: `make serve` starts it, `make test` proves it.

PYTHON ?= python3
MODEL ?= minilm

VENV := .venv
PARTS := pytest-core pytest-explore pytest-pages types js lint
ROWS ?= 3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
# Parts side by side: each one's words stand together and come when it ends; a failed one does not stop the others.
SIDE_BY_SIDE := --no-print-directory -k -j$(ROWS) $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: serve install model test test-tools browser node fetched lint types pytest pytest-core pytest-explore pytest-pages js clean
.DELETE_ON_ERROR:

serve: install
	$(BIN)/attention-atlas serve

install: $(VENV)/installed

model: install
	$(BIN)/attention-atlas models fetch $(MODEL)

test: test-tools browser node fetched
	@echo "In $(ROWS) rows, which say what they found when they end: $(PARTS)"
	@$(MAKE) $(SIDE_BY_SIDE) $(PARTS)

# ---- what is installed, and only when pyproject.toml changes

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(PIP) --upgrade pip
	$(PIP) 'torch>=2.12,<2.14'
	$(PIP) -e .
	@touch $@

$(VENV)/tested: pyproject.toml $(VENV)/installed
	$(PIP) -e '.[test]'
	@touch $@

test-tools: $(VENV)/tested

# ---- what the tests need beside Python: a Chromium and Node 20

browser: test-tools
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; then exit 0; \
	else $(BIN)/playwright install chromium; fi

node:
	@recent() { command -v node >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))'; }; \
	if recent; then exit 0; fi; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs; fi; \
	recent || { echo "Node 20 or newer is needed for the tests of the page" >&2; exit 1; }

# ---- the parts of the proof

lint: test-tools
	$(BIN)/ruff check .

types: test-tools
	$(BIN)/mypy

pytest: test-tools browser fetched
	@$(MAKE) $(SIDE_BY_SIDE) $(filter pytest-%,$(PARTS))

# The longest parts: all but the browser's, and the browser's in two, Explore and every other page. These mostly wait for
# a page, so that two processors have room for all three, and cannot share a process with tests that start an event loop
# of their own. What they need beside Python is seen to before them, so that they begin at once. Torch gets one thread
# in each: more would only wait for one another.
pytest-%: export OMP_NUM_THREADS := 1

pytest-core: test-tools
	@$(BIN)/python -m pytest --ignore=tests/browser

pytest-explore: test-tools
	@$(BIN)/python -m pytest tests/browser/test_explore*.py

pytest-pages: test-tools
	@$(BIN)/python -m pytest tests/browser --ignore-glob='*/test_explore*.py'

# The models that tests look into, once: a test that needs one fails by its name when it cannot be had.
fetched: test-tools
	@for name in minilm smollm2 e5-multilingual; do $(BIN)/attention-atlas models fetch $$name || true; done

js: node
	node --test tests/js/*.test.mjs

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

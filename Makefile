# Attention Atlas: `make serve` starts it, `make test` proves it.

PYTHON ?= python3
MODEL ?= minilm

VENV := .venv
LATER := tests/browser/test_hostile.py tests/browser/test_explore_writing.py
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check

.PHONY: serve install model test test-tools browser node fetched lint types pytest js clean
.DELETE_ON_ERROR:

serve: install
	$(BIN)/attention-atlas serve

install: $(VENV)/installed

model: install
	$(BIN)/attention-atlas models fetch $(MODEL)

test: lint types pytest js

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

# Two rows of tests side by side, about as long: most of the browser's, which mostly wait for a page, and all others
# with the rest of the browser's after them.
# The browser's cannot share a process with tests that start an event loop of their own. Torch gets one thread in each:
# more would only wait for one another.
pytest: export OMP_NUM_THREADS := 1
pytest: test-tools browser fetched
	@$(BIN)/python -m pytest tests/browser $(LATER:%=--ignore=%) >$(VENV)/browser.log 2>&1 & waited=$$!; \
	$(BIN)/python -m pytest --ignore=tests/browser; rest=$$?; \
	$(BIN)/python -m pytest $(LATER); later=$$?; \
	wait $$waited; shown=$$?; cat $(VENV)/browser.log; \
	for code in $$rest $$later $$shown; do [ $$code = 0 ] || exit $$code; done

# The models that tests look into, once: a test that needs one fails by its name when it cannot be had.
fetched: test-tools
	@for name in minilm smollm2 e5-multilingual; do $(BIN)/attention-atlas models fetch $$name || true; done

js: node
	node --test tests/js/*.test.mjs

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

# Two commands on a fresh machine: `make demo` plays, `make test` tests. Each sets up what it needs, once.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
# Only errors: a warning of pip's speaks of mirrors and caches, which are not our business.
PIP := $(BIN)/python -m pip install --quiet --quiet
PYTEST := $(BIN)/python -m pytest
UNITS := tests/engine tests/export tests/plugins
# Real processes on a machine that others keep busy get a second chance, and who hangs gets none; the summary tells
# which needed it.
STAGE := tests/e2e --reruns 1 --rerun-except 'from pytest-timeout'
# What counts milliseconds has the machine to itself. The others wait for most of their time: three at once keep two
# cores busy. (JACK knows eight servers at a time, and each worker starts one.)
ALONE := -m timed
TOGETHER := -m 'not timed' --numprocesses 3 --dist loadfile
# Whoever is through first takes over what waits for the other.
EVERY_CORE := --numprocesses auto --dist worksteal
ON_JACK := $(addprefix tests/e2e/test_,ports_on_jack.py clocks_on_jack.py ardour.py)

.PHONY: demo test coverage check docs clean

demo: $(VENV)/.demo
	$(BIN)/antiphon demo --output duet
	@echo
	@echo "Now you, with a keyboard or without:  '$(CURDIR)/$(BIN)/antiphon' jam"
	@echo "So that this terminal knows the command antiphon:  . '$(CURDIR)/$(BIN)/activate'"

test: $(VENV)/.dev
	sh tests/system-packages.sh
	@# A test here takes ten seconds at most. One that hangs is interrupted by a signal: so JACK and whatever else it
	@# has started are ended before the next.
	$(PYTEST) $(STAGE) --timeout 240 $(ALONE)
	$(PYTEST) $(STAGE) --timeout 240 $(TOGETHER)
	@# What needs no quiet machine takes every core. What computes is never interrupted; if it hangs, see pyproject.toml.
	$(PYTEST) $(UNITS) $(EVERY_CORE)

# The same tests, measured, in place of `make test`, not after it. Nothing is interrupted: see pyproject.toml.
# Coverage's tracer makes JACK's callbacks too slow for a burst of 10,000 notes, for a clock: those are left out.
coverage: $(VENV)/.dev
	sh tests/system-packages.sh
	$(PYTEST) $(STAGE) --cov --cov-report= $(ALONE) $(addprefix --ignore=,$(ON_JACK))
	$(PYTEST) $(STAGE) --cov --cov-report= --cov-append $(TOGETHER)
	$(PYTEST) $(UNITS) $(EVERY_CORE) --cov --cov-report= --cov-append
	$(BIN)/coverage report --skip-covered --include='engine/*' --fail-under=90

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev
	$(BIN)/python tests/engine/every_module.py

$(VENV)/bin/python:
	sh tests/system-packages.sh demo
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.demo pyproject.toml
	$(PIP) --constraint constraints-dev.txt --group dev --editable '.[jack,train]'
	touch $@

clean:
	rm -rf $(VENV) build dist duet

# Two commands on a fresh machine: `make demo` plays, `make test` tests. Each sets up what it needs, once.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
ON_JACK := $(addprefix tests/e2e/test_,ports_on_jack.py clocks_on_jack.py ardour.py)

.PHONY: demo test check docs clean

demo: $(VENV)/.demo
	$(BIN)/antiphon demo --output duet
	@echo
	@echo "Now you, with a keyboard or without:  '$(CURDIR)/$(BIN)/antiphon' jam"
	@echo "So that this terminal knows the command antiphon:  . '$(CURDIR)/$(BIN)/activate'"

test: $(VENV)/.dev
	sh tests/system-packages.sh
	@# Real processes on a machine that others keep busy get a second chance; the summary tells which needed it.
	$(BIN)/python -m pytest --reruns 1 --cov --cov-report= tests/e2e $(addprefix --ignore=,$(ON_JACK))
	@# What needs no quiet machine takes every core.
	$(BIN)/python -m pytest --reruns 1 --cov --cov-report= --cov-append --numprocesses auto tests/engine tests/export tests/plugins
	@# Coverage's tracer makes JACK's callbacks too slow: for a burst of 10,000 notes, for a clock.
	$(BIN)/python -m pytest --reruns 1 $(ON_JACK)
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
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.demo pyproject.toml
	$(BIN)/python -m pip install --quiet --constraint constraints-dev.txt --group dev --editable '.[jack,train]'
	touch $@

clean:
	rm -rf $(VENV) build dist duet

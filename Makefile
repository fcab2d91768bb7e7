# Two commands do everything: `make preview` shows the main job on simulated clouds, `make test` checks all of it.

PYTHON ?= python3
STACK ?= dev
PYTEST_ARGS ?= -n 2 --dist loadfile

.PHONY: preview test lint golden bench clean

preview: .venv/.installed
	@.venv/bin/hostgate preview --stack $(STACK)

test: .venv/.tested dataplane lint
	.venv/bin/pytest $(PYTEST_ARGS)

lint: .venv/.tested
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

golden: .venv/.tested
	.venv/bin/python tests/golden/regenerate.py
	.venv/bin/python -m tests.plugins.schemas
	.venv/bin/python tests/dns/example_survey.py
	.venv/bin/python tests/dns/report_samples.py
	.venv/bin/hostgate catalog schema > catalog/catalog.schema.json

bench: .venv/.tested dataplane
	.venv/bin/python benchmarks/run.py
	.venv/bin/python benchmarks/suricata.py
	.venv/bin/python benchmarks/lookups.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "hostgate needs Python 3.11 or newer; found $$($(PYTHON) --version 2>&1). Set PYTHON=..., e.g. make PYTHON=python3.12." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.installed: requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing the packages of requirements.txt into .venv (about 1 GB; once)" >&2
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.tested: tests/requirements.txt .venv/.installed
	.venv/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

# What the data-plane and DNS checks need, where this machine lets us install it; otherwise it says what will be skipped.
.PHONY: dataplane
dataplane:
	@sh tests/dataplane/setup.sh
	@sh tests/dns/setup.sh

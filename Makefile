# Two commands do everything: `make preview` shows the main job on simulated clouds, `make test` checks all of it.

PYTHON ?= python3
VENV ?= .venv
TOOLS ?= .venv-tools
STACK ?= dev
SEED ?= 1
PYTEST_ARGS ?= -n 2 --dist loadfile

# Packages are installed without compiled files; Python keeps those of what it imports, also where the machine says no.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: preview test test-python test-pythons lint golden differential oracle lifecycle bench refresher lock sbom audit clean

preview: $(VENV)/.installed
	@$(VENV)/bin/hostgate preview --stack $(STACK)

test: $(VENV)/.tested dataplane lint
	$(VENV)/bin/pytest $(PYTEST_ARGS)

# The tests on every other Python that hostgate is for and that is on this machine.
test-pythons: $(VENV)/.tested
	@sh .ci/pythons.sh $(VENV)

# On one of them: what depends on Python, and not what other programs answer.
test-python: $(VENV)/.tested
	$(VENV)/bin/pytest $(PYTEST_ARGS) -q --ignore tests/dataplane \
	  --ignore tests/dns/test_real_servers.py --ignore tests/dns/test_report_in_browser.py \
	  --ignore tests/dns/test_reach_page_in_browser.py

lint: $(VENV)/.tested
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

golden: $(VENV)/.tested
	$(VENV)/bin/python tests/golden/regenerate.py
	$(VENV)/bin/python -m tests.plugins.schemas
	$(VENV)/bin/python tests/dns/example_survey.py
	$(VENV)/bin/python tests/dns/report_samples.py
	$(VENV)/bin/hostgate catalog schema > catalog/catalog.schema.json

bench: $(VENV)/.tested dataplane
	$(VENV)/bin/python benchmarks/run.py
	$(VENV)/bin/python benchmarks/suricata.py
	$(VENV)/bin/python benchmarks/lookups.py
	$(VENV)/bin/python benchmarks/pools.py
	$(VENV)/bin/python benchmarks/swap.py

# AWS's evaluation against the real engine, on rule sets and flows made at random: about ten minutes.
differential: $(VENV)/.tested dataplane
	cd tests && ../$(VENV)/bin/python -m dataplane.aws.differential $(SEED) 1600

# The evaluators of Google Cloud and Azure against two that share no code with them, and reach against brute force with
# those, on 2,000 stacks of each; witness flows, and comparisons of two places, against flows tried one by one.
oracle: $(VENV)/.tested
	HOSTGATE_ORACLE_STACKS=2000 $(VENV)/bin/pytest tests/oracle tests/flows/test_witnesses.py tests/flows/test_comparison.py \
	  tests/dataplane/aws/test_reach.py tests/dataplane/aws/test_widenings.py -q

# Stack files changed at random, old to new: 300 pairs call by call on the simulated clouds, 40 of them by the real engine,
# where it is: about half an hour.
lifecycle: $(VENV)/.tested
	HOSTGATE_PAIRS=300 HOSTGATE_PAIRS_ENGINE=40 $(VENV)/bin/pytest tests/engine/test_pairs.py -q

# hostgate and what a refresher of pools needs, for Linux and the Python that AWS Lambda runs it on: as a folder, for an
# image, and as an archive, the same bytes each time. CLOUD=gcp: with the SDK for lists of that cloud and not of AWS: both at
# once are at the edge of what Lambda takes.
ARCH ?= x86_64
CLOUD ?=
refresher: $(VENV)/.installed
	@rm -rf dist/refresher dist/refresher.zip
	@$(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes --no-deps --no-compile --only-binary :all: \
	  --python-version 3.13 --platform manylinux_2_28_$(ARCH) --platform manylinux_2_17_$(ARCH) \
	  --target dist/refresher -r .ci/refresher$(addprefix -,$(CLOUD)).lock
	@rm -rf dist/refresher/bin
	@$(VENV)/bin/pip install -q --disable-pip-version-check --no-deps --no-compile --no-build-isolation --target dist/refresher .
	@rm -rf dist/refresher/bin dist/refresher/hostgate-*.dist-info/direct_url.json
	@find dist/refresher -exec touch -d '1980-01-02 00:00 UTC' {} +
	@cd dist/refresher && $(abspath $(VENV))/bin/python -m zipfile -c ../refresher.zip *
	@echo "Wrote dist/refresher and dist/refresher.zip"

# What is installed, with the hashes of every file of it, for every Python and platform at once.
lock: $(TOOLS)/.installed
	@for name in requirements tests/requirements .ci/tools; do \
	  $(TOOLS)/bin/uv pip compile -q $$name.txt -o $$name.lock --generate-hashes --universal --python-version 3.11 \
	    --no-annotate --no-emit-package hostgate --custom-compile-command 'make lock' || exit 1; \
	done
	@for cloud in '' gcp; do \
	  $(TOOLS)/bin/uv pip compile -q pyproject.toml --extra pool --extra pool-$${cloud:-aws} -c requirements.lock \
	    -o .ci/refresher$${cloud:+-$$cloud}.lock --generate-hashes --universal --python-version 3.11 --no-annotate \
	    --custom-compile-command 'make lock' || exit 1; \
	done

# The bill of materials of what `make preview` installs, as CycloneDX.
sbom: $(TOOLS)/.installed
	@mkdir -p dist
	@PYTHONWARNINGS=ignore $(TOOLS)/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible \
	  -o dist/hostgate.cdx.json
	@echo "Wrote dist/hostgate.cdx.json"

audit: $(TOOLS)/.installed
	@sh .ci/audit.sh $(TOOLS)/bin/pip-audit requirements.lock tests/requirements.lock .ci/tools.lock

clean:
	rm -rf .venv .venv-3.* .venv-tools .mypy_cache .pytest_cache .ruff_cache .hypothesis

# The environment is looked at each time, because what it was made of may be gone: the interpreter, or the path.
$(VENV)/pyvenv.cfg $(TOOLS)/pyvenv.cfg: look
	@sh .ci/venv.sh make $(@D) '$(PYTHON)' '$(origin PYTHON)'

.PRECIOUS: $(VENV)/pyvenv.cfg $(TOOLS)/pyvenv.cfg
.PHONY: look
look:

$(VENV)/.installed: requirements.lock pyproject.toml $(VENV)/pyvenv.cfg
	@echo "Installing the packages of requirements.lock into $(VENV) (about 1 GB; once)" >&2
	@sh .ci/venv.sh install $(VENV) requirements.lock
	@sh .ci/venv.sh editable $(VENV) .
	@touch $@

$(VENV)/.tested: tests/requirements.lock $(VENV)/.installed
	@sh .ci/venv.sh install $(VENV) tests/requirements.lock
	@touch $@

$(TOOLS)/.installed: .ci/tools.lock $(TOOLS)/pyvenv.cfg
	@sh .ci/venv.sh install $(TOOLS) .ci/tools.lock
	@touch $@

# What the data-plane and DNS checks need, where this machine lets us install it; otherwise it says what will be skipped.
.PHONY: dataplane
dataplane:
	@sh tests/dataplane/setup.sh
	@sh tests/dataplane/export/setup.sh
	@sh tests/dns/setup.sh

# Everything is set up in .venv by whichever target is asked for first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := $(VENV)/peers
ULTRALYTICS := $(VENV)/ultralytics

.PHONY: help demo check test oracle golden pictures peers lint clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## install, then show AlexNet's table
	@$(BIN)/archcalc table alexnet

lint: $(READY)  ## linter, formatter and type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# A worker for each core: more threads would only wait for each other.
check test oracle: export OMP_NUM_THREADS = 1

# What runs no large network and no fuzzing: values, rendering, the shape of the package, counting on literals.
FAST := $(wildcard tests/values tests/render tests/contract/test_structure.py tests/count/test_count.py \
	tests/count/test_formula.py tests/zoo/test_zoo_structure.py tests/trace/test_trace.py)

check: $(READY) lint  ## the fast lane: linter, type checker, and the tests that run no large network
	$(BIN)/pytest -q $(FAST) -k 'not mutated'

test: $(READY) lint  ## the whole suite: linter, type checker, tests, and how much of the code they cover
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=

oracle: $(READY) $(PEERS)/.ready $(ULTRALYTICS)/.ready  ## the slow part: every network in full, and every other tool
	$(PEERS)/bin/python -m pytest -n 2 --dist worksteal -m oracle -k 'not ultralytics' --require-peers
	$(PEERS)/bin/python -m pytest -n 2 --dist worksteal tests/peers -k 'not ultralytics' --require-peers
	$(ULTRALYTICS)/bin/python -m pytest tests/peers -m '' -k ultralytics --require-peers
	.ci/oracle-content > .ci/oracle.stamp

golden: $(READY)  ## record the golden files anew; look at the difference before you commit it
	$(BIN)/pytest tests/render tests/cli/test_rf_command.py tests/contract --golden-update

pictures: $(READY)  ## draw the pictures of README.md and docs/ anew
	$(BIN)/python reports/pictures.py

peers: $(PEERS)/.ready  ## time archcalc beside other tools: reports/peers.csv and the table in the README
	$(PEERS)/bin/python reports/peers.py

clean:  ## remove everything that the targets above made
	rm -rf $(VENV) *.egg-info .mypy_cache .pytest_cache .ruff_cache .coverage

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("archcalc needs Python 3.11 or later; set PYTHON=..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,notebook]'
	@touch $@

# Other tools go into environments that see the packages of the first one, so that its tests never run with them.
# thop and ultralytics-thop bring a module of the same name: each has an environment.
$(PEERS)/.ready: PACKAGES = 'archcalc[peers]'
$(ULTRALYTICS)/.ready: PACKAGES = ultralytics-thop
SITE := -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
$(PEERS)/.ready $(ULTRALYTICS)/.ready: $(READY)
	$(BIN)/python -m venv $(@D)
	echo "import site; site.addsitedir('$$($(BIN)/python $(SITE))')" > $$($(@D)/bin/python $(SITE))/base.pth
	$(@D)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt $(PACKAGES)
	@touch $@

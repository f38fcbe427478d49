# Everything is set up in .venv by whichever target is asked for first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test oracle golden peers lint clean

demo: $(READY)  ## install, then show AlexNet's table
	@$(BIN)/archcalc table alexnet

test: $(READY) lint  ## the whole suite: linter, type checker, tests
	$(BIN)/pytest -n auto --dist worksteal

oracle: $(READY)  ## the slow part: every network at full width, forward, backward and one step
	$(BIN)/pytest -m oracle -n 2

golden: $(READY)  ## record the golden files anew; look at the difference before you commit it
	$(BIN)/pytest tests/render tests/cli/test_rf_command.py tests/contract --golden-update

peers: $(READY)  ## time archcalc beside other tools: reports/peers.csv and the table in the README
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[peers]'
	$(BIN)/python reports/peers.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("archcalc needs Python 3.11 or later; set PYTHON=..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

clean:  ## remove everything that the targets above made
	rm -rf $(VENV) *.egg-info .mypy_cache .pytest_cache .ruff_cache

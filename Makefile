# mlwork: every task in one place. `make help` lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup run lab test docs bench notebooks export clean

help:  ## list the tasks
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# one stamp file an extra: a set-up is repeated only when pyproject.toml changes
$(VENV)/.pip: 
	$(PYTHON) -c 'import sys; sys.exit("mlwork needs Python 3.11 or newer, got %s; set PYTHON=/path/to/python3.11" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/.%: pyproject.toml | $(VENV)/.pip
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	@touch $@

setup: $(VENV)/.lab  ## make .venv with the package and its lab extra

run: $(VENV)/.lab  ## run the whole workflow as settings.ini says
	$(BIN)/mlwork run

lab: $(VENV)/.lab  ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --ServerApp.preferred_dir="$(CURDIR)/nbs"

test: $(VENV)/.test  ## run every test, as CI does
	$(BIN)/ruff check nbs tests benchmarks data docs
	$(BIN)/ruff format --check nbs tests benchmarks data docs
	MLWORK_PROGRESS=0 LOKY_MAX_CPU_COUNT=1 $(BIN)/nbdev-test --n-workers 2
	$(BIN)/python -m pytest -n 2

docs: $(VENV)/.docs  ## build the documentation into _docs
	$(BIN)/python docs/build.py

bench: $(VENV)/.test  ## measure against peers, each in its own environment
	$(BIN)/python benchmarks/run.py

notebooks: $(VENV)/.test  ## export, run, store outputs, clean, and render the README
	$(BIN)/python docs/notebooks.py

export: $(VENV)/.test  ## write the package from the notebooks
	$(BIN)/nbdev-export

clean:  ## remove what was built, not .venv and not runs
	rm -rf _docs _proc build dist *.egg-info .pytest_cache .ruff_cache .hypothesis

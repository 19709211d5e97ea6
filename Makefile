# Every verb first makes the environment in .venv, if it is missing or older than what it is made from.
# Another Python: make lab PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/python -m pytest

# make test CHAPTER=07 checks one chapter, its exercises and its form; a busy machine may need TIMEOUT=1200.
CHAPTER ?=
TIMEOUT ?= 300
WORKERS ?= logical
SPREAD := -n $(WORKERS)
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=$(TIMEOUT)
CHECKED := $(if $(CHAPTER),tests/notebooks notebooks -k $(CHAPTER)_,tests notebooks)

.PHONY: help lab test coverage notebooks student lint format tables test-other-machine clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' Makefile

lab: $(READY)  ## open JupyterLab on the chapters (on this machine only; it prints its address)
	@# .jupyter/ keeps what the tests bring along for teachers, and the news, out of a reader's JupyterLab.
	JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter" $(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 \
		--ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks \
		$(if $(filter 0,$(shell id -u)),--allow-root)

test: $(READY)  ## everything: style, tests, every chapter from top to bottom; CHAPTER=07 one chapter alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) $(SPREAD) $(NBVAL) $(CHECKED)

coverage: $(READY)  ## which lines of reference/ no test runs; at least 95 % must
	$(PYTEST) $(SPREAD) --cov tests

notebooks: $(READY)  ## build the chapters whose source has changed
	$(BIN)/python -m notebooks.build

student: $(READY)  ## write the student copies to build/student/
	$(BIN)/python -m notebooks.student

lint: $(READY)  ## say what is wrong with the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)  ## mend what can be mended of the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

tables: $(READY)  ## write the tables of results anew from experiments/results/
	$(BIN)/python -m experiments.tables

test-other-machine: $(READY)  ## the tests with five other processors' arithmetic, which takes five times as long
	$(BIN)/python -m notebooks.arithmetic $(MAKE) test

clean:  ## remove the environment and everything that was made
	rm -rf .venv build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
		echo "The course needs Python 3.11 or newer; $(PYTHON) is" \
			"$$($(PYTHON) --version 2>/dev/null || echo missing). Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Making the environment in .venv: a minute or two, and PyTorch to download ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

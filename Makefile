# Every verb first makes the environment in .venv, if it is missing or older than what it is made from: what a
# reader needs, what a teacher needs, or all that the tests need. Another Python: make lab PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
READER := .venv/.reader
TEACH := .venv/.teach
READY := .venv/.test
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

lab: $(READER)  ## open JupyterLab on your own copies in my-course/ (on this machine only; it prints its address)
	$(BIN)/python -m notebooks.lab

test: $(READY)  ## everything: style, tests, every chapter from top to bottom; CHAPTER=07 one chapter alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) $(SPREAD) $(NBVAL) $(CHECKED)

coverage: $(READY)  ## which lines of reference/ no test runs; at least 95 % must
	$(PYTEST) $(SPREAD) --cov=reference tests

notebooks: $(TEACH)  ## build the chapters whose source has changed
	$(BIN)/python -m notebooks.build

student: $(READER)  ## write copies without the solutions to build/student/, to hand out
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

clean:  ## remove the environment and all that can be made again; your copies of the chapters stay
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis *.egg-info
	find build -mindepth 1 -maxdepth 1 ! -name student -exec rm -rf {} + 2>/dev/null || true
	find . -name my-course -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
	@for own in my-course build/student; do \
		if [ -e $$own ]; then echo "$$own/ stays, for it may hold your work; delete it by hand."; fi; done

$(READER) $(TEACH) $(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
		echo "The course needs Python 3.11 or newer; $(PYTHON) is" \
			"$$($(PYTHON) --version 2>/dev/null || echo missing). Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m notebooks.environment $(patsubst .%,%,$(@F))

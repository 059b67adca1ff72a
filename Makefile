# Two commands do everything: `make demo` and `make test`. Both set up what they need, and reuse it the next time.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: help demo test test-python lint format bench fuzz laws soak clean

help:
	@echo "make demo    set up, and show the main job on the two example programs"
	@echo "make test    set up, and pass every test: Python, VS Code, Emacs"
	@echo "make lint    ruff, mypy, TypeScript;  make format  formats;  make bench  measures"
	@echo "make fuzz    ten minutes of random texts;  make laws  10,000 cases of each law"
	@echo "make soak    ten minutes of random editing, with previews, runs and every request"

# Byte code is part of the set-up: without it every start compiles the modules again.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Mino needs Python 3.11 or newer; name one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo 'Installing into .venv (PyTorch is the large part) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/mino setup
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/python scripts/demo.py

test: $(INSTALLED)
	@scripts/test

test-python: $(INSTALLED)
	@$(BIN)/python -m pytest

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@scripts/lint-editors

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED)
	@$(BIN)/mino setup
	@for each in benchmarks/bench_*.py; do echo "== $$each"; $(BIN)/python $$each || exit 1; done

# Ten minutes of random texts against the laws of what needs no trust; `--seed` of the script makes one again.
fuzz: $(INSTALLED)
	@$(BIN)/python scripts/fuzz.py --minutes 10

# Each law of hypothesis with 10,000 cases.
laws: $(INSTALLED)
	@$(BIN)/python -m pytest tests/lsp -m hypothesis --laws 10000 -n 2 --dist worksteal --durations 0

# Ten minutes of a user who edits real programs at random; `--seed` of the script makes the same edits again.
soak: $(INSTALLED)
	@$(BIN)/python scripts/soak.py --minutes 10

clean:
	rm -rf .venv .cache dist build

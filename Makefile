# Two commands matter: `make run` opens the explorer, `make test` runs the tests.
# Each sets up what it needs in .venv the first time and starts at once after that.
#
#   make run ARGS="--batch-size 64"    passes options to bntui
#   make run PIP_ARGS="..."            passes options to pip, such as the one that
#                                      PyTorch's start page gives for a CPU-only build

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS     ?=
PIP_ARGS ?=
NEWEST   ?= python3
# What `make test-newest` leaves out: the slow end, tests of numbers, which are torch's on any Python, and of pictures.
SLOW := tests/fuzz tests/system tests/cases tests/diagnose tests/measure tests/train tests/ui/gallery tests/ui/words \
	tests/test_benchmarks.py tests/examples tests/probe/callbacks $(addsuffix .py,$(addprefix tests/probe/watching/test_, \
	unchanged looks looks_elsewhere replayed ranks kinds_of_layers compiled_training batch_statistics))

.DEFAULT_GOAL := help
.PHONY: run test test-newest hooks test-experiments test-system faults fuzz soak check docs-check lint bench bench-quick pictures keys phase-diagram clean help

# A venv that was begun, by an interrupted run or without ensurepip, has a python and no pip: it is
# completed. One that can't be made is removed, unless it was there before.
define venv
@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	[ -e $(VENV) ] && kept=yes; \
	$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip --version >/dev/null || { \
		[ "$$kept" ] || rm -rf $(VENV); \
		echo "make: no Python environment could be made in $(VENV): install Python's venv and pip" \
			"(python3-venv on Debian and Ubuntu), or name another one with PYTHON=." >&2; \
		exit 1; }; }
endef

$(VENV)/run.stamp: pyproject.toml
	$(venv)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --editable '.[dev]'
	@touch $@

run: $(VENV)/run.stamp  ## open the explorer (ARGS="..." passes options on)
	@$(BIN)/bntui $(ARGS)

test: $(VENV)/dev.stamp  ## run the tests
	$(BIN)/python -m pytest -n auto $(ARGS)

test-newest:  ## run the quicker tests with another Python, in an environment of its own (NEWEST=python3.14)
	$(MAKE) test PYTHON=$(NEWEST) VENV=.venv-newest ARGS="$(SLOW:%=--ignore=%) $(ARGS)"

hooks: $(VENV)/dev.stamp  ## check format, lint, types and import rules before every commit
	$(BIN)/pre-commit install

lint: $(VENV)/dev.stamp  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-experiments: $(VENV)/dev.stamp  ## run every guided experiment and check its conclusion (ARGS="--seeds 10")
	$(BIN)/python -m pytest -m experiment -n 2 tests/experiments $(ARGS)

test-system: $(VENV)/dev.stamp  ## run the tests on real terminals, and those that need sshd and tmux
	$(BIN)/python -m pytest -m system $(ARGS)

faults: $(VENV)/dev.stamp  ## inject every fault, and remake the table in docs/reliability.md
	$(BIN)/python -m pytest -m fault --faults=docs/reliability.md $(ARGS)

fuzz: $(VENV)/dev.stamp  ## 100,000 random actions, 10,000 command lines, 20,000 files, all long tests (ARGS="--actions N --command-lines N --files N")
	$(BIN)/python -m pytest -m long -s tests $(ARGS)

soak: $(VENV)/dev.stamp  ## an hour of the explorer at full speed: does anything grow? (ARGS="--minutes N")
	$(BIN)/python -m tests.fuzz.soak $(ARGS)

docs-check: $(VENV)/dev.stamp  ## are links and commands in README and docs true? (make test asks as well)
	$(BIN)/python -m tools.docs_check

check: lint test  ## the whole gate

bench: $(VENV)/dev.stamp  ## measure speed beside Keras and PyTorch scripts, on a quiet machine, for one to two hours
	$(BIN)/python -m benchmarks --json build/bench.json --markdown build/bench.md $(ARGS)

bench-quick: $(VENV)/dev.stamp  ## only show that the benchmarks work
	$(BIN)/python -m benchmarks --quick --json build/bench-quick.json $(ARGS)

pictures: $(VENV)/dev.stamp  ## make the gallery and the README's pictures from what real runs showed
	$(BIN)/python -m tools.pictures

phase-diagram: $(VENV)/dev.stamp  ## write docs/phase-diagram.md from the runs in docs/data (ARGS="--store FILE" takes them from a store)
	$(BIN)/python -m tools.phase_diagram $(ARGS)

keys: $(VENV)/dev.stamp  ## write docs/keys.md anew from the table of keys
	$(BIN)/python -m tools.keys

clean:  ## remove what make and the tools made
	rm -rf $(VENV) .venv-newest .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' Makefile

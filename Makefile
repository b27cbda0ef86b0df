# Two commands on a fresh machine: `make demo` and `make test`. Only Python 3.11 to 3.13 and make are needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types bench bench-peers install install-test lock wheel clean

demo: install
	$(BIN)/tipstat demo demo --force

test: install-test
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint --processes 2 models tests/dbt

types: install-test
	$(BIN)/mypy

# How fast it is, against the bare engine in the same run (docs/benchmark.md): small or full.
SIZE ?= small

bench: install
	$(BIN)/python -m benchmarks --size $(SIZE)

# pandera and frictionless, which the benchmark compares with, in an environment of their own.
bench-peers:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt

wheel: install-test
	$(BIN)/python -m hatchling build -t wheel -d dist

install: $(VENV)/.installed

install-test: $(VENV)/.installed-test

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links --group build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links --group build --group test pyproject.toml -o requirements-test.lock

clean:
	rm -rf $(VENV) dist demo

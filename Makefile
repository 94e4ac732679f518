# ntk-teach: `make book` and `make test` are the two commands; the rest helps those who work on it.
# Another interpreter:  make PYTHON=python3.12 book      Without a network for pip: nothing is fetched once .venv stands.
PYTHON ?= python3
PORT ?= 8000
SIZE ?= laptop

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.SILENT:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

BIN := .venv/bin
BOOK := _build/html/index.html
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Sphinx must not depend on the reader's own configuration, nor on the order of a hash.
export PYTHONHASHSEED := 0
export MPLBACKEND := agg

.PHONY: help env book serve test soak bench experiments clean machine

help: ## this list
	sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

machine:
	tools/machine "$(PYTHON)"

env: .venv/installed ## the environment, in .venv (once, and again when the lock changes)

.venv/installed: requirements.lock pyproject.toml | machine
	echo "environment: installing into .venv (about 2 GB, more with GPU libraries; once)"
	"$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	touch $@

book: env ## the book, in _build/html: release notebooks, execution, pages; only what changed
	tools/book
	echo
	echo "The book is in $(BOOK): open it in a browser, or run  make serve"

serve: book ## the book on this machine's own address, http://127.0.0.1:8000
	echo "http://127.0.0.1:$(PORT)/  (Ctrl-C ends it)"
	python -m http.server --bind 127.0.0.1 --directory _build/html "$(PORT)"

test: book ## every check, once and small: format, lint, types, tests, the built pages in a browser
	python tools/checks.py

soak: book ## the long versions, before a release; writes soak/REPORT.md
	python soak/run.py

bench: env ## speed against other programs (opt-in: installs 2.6 GB into .cache, once); benchmarks/results
	python -m benchmarks

experiments: env ## the experiments of the paper at a laptop's size, minutes; SIZE=paper wants a GPU; book/results
	python -m ntk_teach.experiments all --size $(SIZE)

clean: ## forget everything that make made, the environment excepted
	rm -rf _build .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis dist exercises/release
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	echo "cleaned; the environment stays (rm -r .venv removes it)"

# make setup   a working .venv in this folder       make demo   draw, train, score, show
# make test    the whole test suite                 make lint   style, types, imports alone
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test lint clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,review,cluster,test]'
	touch $(STAMP)

demo: setup
	$(BIN)/finetune demo

test: setup
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile

lint: setup
	$(BIN)/python -m pytest tests/test_style.py

clean:
	rm -rf demo runs stores build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

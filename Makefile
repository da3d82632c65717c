# make setup   a working .venv in this folder       make demo   draw, train, score, show
# make test    the whole test suite                 make lint   style, types, imports alone
# make review  the review page on a sample project with invented reviews, without training
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SAMPLE := sample

.PHONY: setup demo review test lint clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,review,cluster,test]'
	touch $(STAMP)

demo: setup
	$(BIN)/finetune demo

review: setup
	$(BIN)/finetune sample $(SAMPLE)
	test -e $(SAMPLE)/reviews.sqlite || $(BIN)/python -P -m app sample --project $(SAMPLE)
	$(BIN)/python -P -m app --project $(SAMPLE) --films $(SAMPLE)/data/films

test: setup
	$(BIN)/python -m pytest --numprocesses 3 --dist loadgroup --no-loadscope-reorder

lint: setup
	$(BIN)/python -m pytest tests/test_style.py

clean:
	rm -rf demo sample runs stores build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

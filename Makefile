PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXAMPLE ?= fixtures/war_report_mma_insert.txt
CORPUS := training/corpus
TWO := -n 2 --dist worksteal
# By its path, as a wheel would lie there: Python then starts without looking for where the project is.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c training/constraints.txt \
	--config-settings editable_mode=compat
export NOISEFILTER_DATA ?= $(wildcard ../shared/data)

.DEFAULT_GOAL := help
.PHONY: help setup demo test check sanitize train eval bench-quality bench-speed clean

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 23

setup: $(READY)  ## set up the virtual environment in .venv, once
$(READY): pyproject.toml setup.py training/constraints.txt $(wildcard noisefilter/kernel/*.?pp noisefilter/kernel/*.pyx)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[dev]'
	@touch $@

demo: setup  ## clean an example article; show what is dropped, and why
	$(BIN)/noisefilter clean --diff $(EXAMPLE)
	$(BIN)/noisefilter explain $(EXAMPLE)

test: setup  ## run the tests, two at a time
	$(BIN)/python -m pytest $(TWO)

check: setup  ## check lint, format, types and documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_docs.py

train: setup  ## rebuild the default model, byte for byte, from the corpus and the public sets that are there
	$(BIN)/noisefilter train $(CORPUS)/train.jsonl --test $(CORPUS)/test.jsonl --recipe training/recipe.toml --jobs 2 \
		-o noisefilter/models/default.noisefilter

sanitize: setup  ## run the kernel's tests under AddressSanitizer and UndefinedBehaviorSanitizer; needs gcc
	NOISEFILTER_SANITIZE=address,undefined $(BIN)/python setup.py --quiet build --build-base build/sanitized \
		--build-lib build/sanitized/lib
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" \
		ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc PYTHONPATH=build/sanitized/lib $(BIN)/pytest $(TWO) \
		-k 'not same_decisions and not basic_plane' tests/test_kernel*.py tests/test_bundle*.py

eval: setup  ## check the default model against its quality floors
	$(BIN)/python training/floors.py

bench-quality: setup  ## compare quality with other systems; installs the extra [bench], takes two hours
	$(INSTALL) -e '.[bench]'
	$(BIN)/python training/benchmark -o benchmark.json

bench-speed: setup  ## compare speed with other systems; installs the extra [bench-speed], needs a quiet machine
	$(INSTALL) -e '.[bench-speed]'
	$(BIN)/python training/speed -o speed.json $(BENCH)

clean:  ## remove what the other targets made
	rm -rf $(VENV) benchmark.json speed.json .benchmark .hypothesis .mypy_cache .pytest_cache .ruff_cache build *.egg-info
	rm -f noisefilter/kernel/native.cpp noisefilter/kernel/native*.so noisefilter/kernel/native*.pyd

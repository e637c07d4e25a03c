# The program is installed into .venv; everything it makes goes to build/.
.DEFAULT_GOAL := help
PYTHON ?= python3
# an environment for each Python: .venv, and .venv-3.12 for make PYTHON=python3.12
ifeq ($(origin PYTHON),file)
VENV := .venv
else
VENV := .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2] + getattr(sys, "abiflags", ""))')
endif
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready
TYPES := build/types/.ready
PIP := -m pip install --quiet --disable-pip-version-check
# make test-oldest gives this the oldest versions that pyproject.toml allows
WITH :=
MARKOV := $(BIN)/markov
# tests in twice as many processes as cores: where two others run on two cores they get two thirds, not half; each
# process collects the tests anew, so three times as many take a tenth more
WORKERS = $(shell $(BIN)/python -c 'import os; print(2 * (os.cpu_count() or 1))')
# each test that starts the program would compile it anew: a quarter of a second, some thousand times
export PYTHONDONTWRITEBYTECODE =
RUNS ?= 3
CASES ?= 20000
SEED ?= 1
JOBS ?= 2

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# numpy, click and rich of requirements-dev.txt are for mypy; a program is tested with those that pip chooses
RUNTIME := numpy|click|rich
$(READY): pyproject.toml requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "markov needs Python 3.10 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	grep -vE '^($(RUNTIME))==' requirements-dev.txt > $(VENV)/tools.txt
	$(BIN)/python $(PIP) --requirement $(VENV)/tools.txt $(WITH)
	$(BIN)/python $(PIP) --no-build-isolation --editable . $(WITH)
	@touch $@

# the same for every Python, also one that they are too new for: mypy reads these, nothing runs them
$(TYPES): requirements-dev.txt | $(READY)
	@rm -rf $(@D)
	$(BIN)/python $(PIP) --target $(@D) --no-deps --no-compile --only-binary :all: --python-version 3.13 \
	  --ignore-requires-python \
	  $$(sed -nE 's/^(($(RUNTIME))==[^ ;]+).*/\1/p' requirements-dev.txt)
	@touch $@

.PHONY: install
install: $(READY) ## Make the environment and install the program into it

# ---- a model for each corpus and a sample for each model, made again only when their sources change

MODELS := $(addprefix build/,change.npz harbour.npz names.npz messages.npz scripts.npz python.npz)
SAMPLES := $(MODELS:.npz=.txt)

build/change.npz: OPTIONS := --lowercase
build/names.npz: OPTIONS := --tokenizer chars --unit line --order 4
build/messages.npz: OPTIONS := --unit line
build/python.npz: OPTIONS := --unit paragraph

.PHONY: models samples
models: $(MODELS) ## Train a model on every corpus
samples: $(SAMPLES) ## Write ten texts from every model

build/%.npz: corpora/%.txt | $(READY)
	@mkdir -p build
	$(MARKOV) train $< $(OPTIONS) -o $@

build/scripts.npz: $(wildcard corpora/scripts/*.txt) | $(READY)
	@mkdir -p build
	$(MARKOV) train corpora/scripts -o $@

build/python.npz: build/corpora/python.txt | $(READY)
	$(MARKOV) train $< $(OPTIONS) -o $@

build/%.txt: build/%.npz | $(READY)
	$(MARKOV) generate $< --count 10 --seed 1 > $@

.PHONY: corpora
corpora: build/corpora/python.txt ## Make a larger text without a download: Python's help topics
build/corpora/python.txt: | $(READY)
	@mkdir -p $(@D)
	$(BIN)/python -c 'import sys; from pydoc_data.topics import topics; \
	  sys.stdout.buffer.write("\n\n".join(topics[k] for k in sorted(topics)).encode())' > $@.part
	mv $@.part $@

.PHONY: demo
demo: $(READY) $(SAMPLES) ## Install, train on corpora/, generate, inspect
	@echo; echo '== What follows "you" in "You must be the change you wish to see in the world"?'
	$(MARKOV) inspect build/change.npz you
	@echo; echo '== Texts from a story'
	$(MARKOV) generate build/harbour.npz --count 5 --seed 7
	@echo; echo '== Invented names, a character at a time'
	$(MARKOV) generate build/names.npz --count 8 --seed 3
	@echo; echo "== Texts from Python's help topics, and what that model learned"
	$(MARKOV) generate build/python.npz --count 2 --seed 5 --max-tokens 60
	$(MARKOV) inspect build/python.npz
	@echo; echo 'Models and samples are in build/. Next: README.md, or $(MARKOV) --help'

# ---- checks

.PHONY: lint-scripts
lint-scripts: ## Check the scripts of pages with ESLint (needs npx)
	npx --yes eslint@9 src/markov_cli/render/html

CHECKS := build/checks$(VENV:.venv%=%).txt
.PHONY: test
test: $(READY) $(TYPES) ## Check style and types, run all tests, try the wheel in an empty environment (PYTHON=python3.12)
	$(BIN)/ruff check .
	@mkdir -p build
	@# types and wheel are checked beside the tests, and told behind them
	@$(MAKE) --no-print-directory types smoke > $(CHECKS) 2>&1 & \
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal; tests=$$?; \
	wait $$!; checks=$$?; cat $(CHECKS); exit $$((tests + checks))

.PHONY: types
types: $(READY) $(TYPES) ## Check the types
	$(BIN)/mypy --cache-dir $(VENV)/mypy

# NumPy 2.0 has wheels for Python 3.10, 3.11 and 3.12
OLDEST := $(shell sed -n '/^dependencies = /p' pyproject.toml | grep -oE '[a-z]+>=[0-9.]+' | sed 's/>=/==/')
OLD_PYTHONS := $(if $(filter file,$(origin PYTHON)),python3.10 python3.11 python3.12) $(PYTHON)

.PHONY: test-oldest tests
test-oldest: ## Run all tests with the oldest NumPy, click and rich that pyproject.toml allows
	@for one in $(OLD_PYTHONS); do \
	  if $$one -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2> /dev/null; then \
	    exec $(MAKE) --no-print-directory tests PYTHON=$$one VENV=.venv-oldest WITH='$(OLDEST)'; \
	  fi; \
	done; echo 'NumPy 2.0 has wheels for Python 3.10, 3.11 and 3.12: make test-oldest PYTHON=python3.12'; exit 1
tests: $(READY)
	$(BIN)/python -m pip list --disable-pip-version-check | grep -E '^($(RUNTIME)) '
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

# wheels alone, for every Python that we test with
COMPILE := build/renew/bin/uv pip compile --quiet --only-binary :all:

.PHONY: renew-tools
renew-tools: ## Pin the newest development tools in requirements-dev.txt; then make test, and commit it
	$(PYTHON) -m venv build/renew
	build/renew/bin/python $(PIP) uv
	$(COMPILE) --universal --python-version 3.10 --group dev --upgrade --no-annotate --output-file requirements-dev.txt \
	  --custom-compile-command 'make renew-tools'
	for one in 3.10 3.11 3.12 3.13 3.14; do \
	  $(COMPILE) --python-version $$one --no-header --output-file build/renew/$$one.txt requirements-dev.txt || exit 1; done
	@rm -rf build/renew

# each peer is installed by itself, since kenlm needs a compiler; tests skip the missing ones. pyctcdecode asks for a
# NumPy before 2, which would take the place of ours; the part that reads ARPA works with ours
PEERS := kenlm==0.3.0 nltk==3.10.4 markovify==0.9.4 pygtrie==2.6.2 '--no-deps pyctcdecode==0.5.0'
PEER_TESTS := $(addprefix tests/,$(addsuffix .py,scoring/test_against_kenlm training/test_against_lmplz formats/test_exchange \
  formats/test_listing model/test_oracle_smoothing scoring/test_scoring))

.PHONY: peers
peers: $(READY) ## Compare answers with KenLM, NLTK, markovify and pyctcdecode
	@for one in $(PEERS); do \
	  $(BIN)/python $(PIP) $$one || echo "$$one: not available here"; done
	@for one in lmplz query; do command -v $$one || echo "$$one: not on PATH; its tests are skipped"; done
	MARKOV_PEERS=1 $(BIN)/python -m pytest -v -rs $(PEER_TESTS) -k 'against or itself or kenlm or lmplz or query'

.PHONY: thorough
thorough: $(READY) ## Run the tests with all combinations of parameters and ten times as many new random examples (half an hour)
	MARKOV_EXAMPLES=thorough $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal
	$(BIN)/python tests/fuzz.py --cases 2000 --jobs $(JOBS)
	$(BIN)/python tests/fuzz_readers.py --cases 2000 --jobs $(JOBS)
	$(BIN)/python tests/fuzz_imports.py --cases 2000 --jobs $(JOBS)

SMOKE := build/smoke$(VENV:.venv%=%)
.PHONY: smoke
smoke: $(READY) ## Build the wheel, install it in an empty environment, train and generate there
	@rm -rf $(SMOKE) && mkdir -p $(SMOKE)
	$(BIN)/python -m build --quiet --no-isolation --wheel --outdir $(SMOKE) .
	$(PYTHON) -m venv $(SMOKE)/venv
	$(subst $(VENV),$(SMOKE)/venv,$(BIN))/python $(PIP) $(SMOKE)/*.whl
	cd $(SMOKE) && $(subst $(VENV),venv,$(BIN))/markov train ../../corpora/change.txt --lowercase -o change.npz
	cd $(SMOKE) && $(subst $(VENV),venv,$(BIN))/markov generate change.npz --seed 1
	cd $(SMOKE) && $(subst $(VENV),venv,$(BIN))/markov inspect change.npz --html change.html > change.txt
	@rm -rf $(SMOKE)

.PHONY: fuzz
fuzz: $(READY) ## Run every command on 20,000 damaged model files (CASES=, SEED=, JOBS=)
	$(BIN)/python tests/fuzz.py --cases $(CASES) --seed $(SEED) --jobs $(JOBS)

.PHONY: fuzz-readers
fuzz-readers: $(READY) ## Run the readers on 20,000 damaged texts, and import on 20,000 files of other programs
	$(BIN)/python tests/fuzz_readers.py --cases $(CASES) --seed $(SEED) --jobs $(JOBS)
	$(BIN)/python tests/fuzz_imports.py --cases $(CASES) --seed $(SEED) --jobs $(JOBS)

.PHONY: docs
docs: $(READY) ## Write the generated pages and the outputs of all blocks of the documentation, and check them
	$(BIN)/python tests/docs/documents.py
	$(BIN)/python -m pytest tests/docs

.PHONY: man
man: $(READY) ## Write manual pages from the help to build/man/man1
	$(MARKOV) man build/man/man1

.PHONY: bench
bench: $(READY) ## Measure time and memory against wc, markovify and KenLM (TEXT=FILE, BOOK=FILE, RUNS=3)
	$(BIN)/python $(PIP) --no-build-isolation --editable '.[peers]'
	$(BIN)/python benchmarks/bench_core.py --runs $(RUNS) $(if $(TEXT),--text $(TEXT))
	$(BIN)/python benchmarks/bench_lm.py --runs $(RUNS) $(if $(TEXT),--text $(TEXT))
	$(BIN)/python benchmarks/bench_records.py --runs $(RUNS) $(if $(TEXT),--text $(TEXT))
	$(BIN)/python benchmarks/bench_shapes.py --runs $(RUNS)
	$(BIN)/python benchmarks/bench_own.py --runs $(RUNS) $(if $(TEXT),--text $(TEXT)) $(if $(BOOK),--book $(BOOK))
	$(BIN)/python benchmarks/bench_forget.py --runs $(RUNS) $(if $(TEXT),--text $(TEXT))

.PHONY: bench-scale
bench-scale: $(READY) ## Measure training on text larger than memory (TEXT=FILE of 100 MB; an hour, 70 GB of disk)
	$(BIN)/python benchmarks/bench_scale.py --text $(TEXT) --work build/scale

.PHONY: stress
stress: $(READY) ## Kill 200 trainings and fill disks; no model may be lost (20 minutes)
	$(BIN)/python benchmarks/stress.py

.PHONY: evidence
evidence: $(READY) ## Write the audit figures of three models into docs/explanation/evidence.md (BOOKS=FOLDER)
	$(BIN)/python benchmarks/evidence.py --write docs/explanation/evidence.md $(if $(BOOKS),--books $(BOOKS))

.PHONY: clean
clean: ## Remove everything that was made
	rm -rf build dist .venv .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis

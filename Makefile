# The program is installed into .venv; everything it makes goes to build/.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready
MARKOV := $(BIN)/markov
RUNS ?= 3
CASES ?= 20000
SEED ?= 1
JOBS ?= 2

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "markov needs Python 3.10 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

.PHONY: install
install: $(READY) ## Make the environment and install the program into it

# ---- a model per corpus, a sample per model, made anew only when what they rest on changed

MODELS := $(addprefix build/,change.npz harbour.npz names.npz messages.npz scripts.npz python.npz)
SAMPLES := $(MODELS:.npz=.txt)

build/change.npz: OPTIONS := --lowercase
build/names.npz: OPTIONS := --tokenizer chars --unit line --order 4
build/messages.npz: OPTIONS := --unit line
build/python.npz: OPTIONS := --unit paragraph

.PHONY: models samples
models: $(MODELS) ## A model for every corpus
samples: $(SAMPLES) ## Ten texts from every model

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
corpora: build/corpora/python.txt ## A larger text without a download: Python's own help topics
build/corpora/python.txt: | $(READY)
	@mkdir -p $(@D)
	$(BIN)/python -c 'import sys; from pydoc_data.topics import topics; \
	  sys.stdout.buffer.write("\n\n".join(topics[k] for k in sorted(topics)).encode())' > $@.part
	mv $@.part $@

.PHONY: demo
demo: $(READY) $(SAMPLES) ## Environment, install, train on corpora/, generate, inspect
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

.PHONY: test
test: $(READY) ## Style, types, all tests, and the wheel in an empty environment
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal
	@$(MAKE) --no-print-directory smoke

# found where they are installed or on PATH, skipped where not; each is tried alone, for kenlm needs a compiler
PEERS := kenlm==0.3.0 nltk==3.10.4 markovify==0.9.4 pyctcdecode
PEER_TESTS := $(addprefix tests/,$(addsuffix .py,scoring/test_against_kenlm training/test_against_lmplz formats/test_exchange \
  formats/test_listing model/test_oracle_smoothing scoring/test_scoring))

.PHONY: peers
peers: $(READY) ## Hold answers against KenLM, NLTK, markovify and pyctcdecode themselves
	@for one in $(PEERS); do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check $$one || echo "$$one: not to be had here"; done
	@for one in lmplz query; do command -v $$one || echo "$$one: not on PATH; what needs it is skipped"; done
	$(BIN)/python -m pytest -v -rs $(PEER_TESTS) -k 'against or itself or kenlm or lmplz or query'

.PHONY: thorough
thorough: $(READY) ## The tests with ten times as many drawn examples, other ones every time (half an hour)
	MARKOV_EXAMPLES=thorough $(BIN)/python -m pytest --numprocesses auto --dist worksteal
	$(BIN)/python tests/fuzz.py --cases 2000 --jobs $(JOBS)

.PHONY: smoke
smoke: $(READY) ## Build the wheel, install it in an empty environment, train and generate there
	@rm -rf build/smoke && mkdir -p build/smoke
	$(BIN)/python -m build --quiet --wheel --outdir build/smoke .
	$(PYTHON) -m venv build/smoke/venv
	$(subst $(VENV),build/smoke/venv,$(BIN))/python -m pip install --quiet --disable-pip-version-check build/smoke/*.whl
	cd build/smoke && $(subst $(VENV),venv,$(BIN))/markov train ../../corpora/change.txt --lowercase -o change.npz
	cd build/smoke && $(subst $(VENV),venv,$(BIN))/markov generate change.npz --seed 1
	@rm -rf build/smoke

.PHONY: fuzz
fuzz: $(READY) ## 20,000 mutated model files through every command (CASES=, SEED=, JOBS=)
	$(BIN)/python tests/fuzz.py --cases $(CASES) --seed $(SEED) --jobs $(JOBS)

.PHONY: docs
docs: $(READY) ## Write docs/commands.md anew and run every block of the documentation
	$(BIN)/python tests/test_docs.py --write
	$(BIN)/python -m pytest tests/test_docs.py

.PHONY: man
man: $(READY) ## Manual pages from the help, in build/man/man1
	$(MARKOV) man build/man/man1

.PHONY: bench
bench: $(READY) ## Time the program beside wc, markovify and KenLM (TEXT=FILE, RUNS=3)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '.[peers]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	$(BIN)/python benchmarks/bench_core.py --runs $(RUNS) $(if $(TEXT),--text $(TEXT))
	$(BIN)/python benchmarks/bench_lm.py --runs $(RUNS) $(if $(TEXT),--text $(TEXT))

.PHONY: bench-scale
bench-scale: $(READY) ## Train on text larger than memory (TEXT=FILE of 100 MB; an hour, 70 GB of disk)
	$(BIN)/python benchmarks/bench_scale.py --text $(TEXT) --work build/scale

.PHONY: stress
stress: $(READY) ## Kill 200 trainings, fill disks: nothing may be lost (20 minutes)
	$(BIN)/python benchmarks/stress.py
.PHONY: evidence
evidence: $(READY) ## What three models of one text keep of it, written into docs/evidence.md (BOOKS=FOLDER)
	$(BIN)/python benchmarks/evidence.py --write docs/evidence.md $(if $(BOOKS),--books $(BOOKS))

.PHONY: clean
clean: ## Remove everything that was made
	rm -rf build dist $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

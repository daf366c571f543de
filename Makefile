# make demo   set up, play the main job over the wire, prove it by comparing rows
# make test   set up, run every check
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest -q
TOURS  := tests/e2e/test_readme.py tests/e2e/test_three_in_the_morning.py

# make kill   every command killed at every statement, 50 rounds of commands at once (hours)
# make mutants   every small break of the domain, and how many of them its unit tests notice (minutes)

.PHONY: kill mutants demo test check unit property transcripts tours e2e bench ci lock clean

demo: $(READY)
	$(BIN)/python examples/demo.py

# What keeps one core busy, or mostly waits, runs beside something else.
test: $(READY)
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target check transcripts
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target unit tours
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target property e2e

check: $(READY)
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

# A file stays with one worker: what a module prepares for all its tests is prepared once.
unit: $(READY)
	$(PYTEST) -n 2 --dist loadfile tests/unit tests/contract --cov --cov-report=term-missing --cov-fail-under=100

property: $(READY)
	$(PYTEST) -n 2 tests/property

transcripts: $(READY)
	$(PYTEST) tests/transcripts

# The documents' commands, one after the other, at the pace of a real shell.
tours: $(READY)
	$(PYTEST) $(TOURS)

# Half of the time they wait for jobs: three workers keep two cores busy.
e2e: $(READY)
	$(PYTEST) -n 3 --dist loadfile $(TOURS:%=--ignore=%) tests/e2e

kill: $(READY)
	STARROCKS_BR_KILLS=all STARROCKS_BR_ROUNDS=50 $(PYTEST) -n 2 tests/property/test_kill_at_every_statement.py \
	    tests/e2e/test_kill_everywhere.py tests/e2e/test_concurrency.py

# The tool stands beside the locked development dependencies, not among them: only this target needs it.
mutants: $(READY)
	$(BIN)/python -m pip install --quiet --upgrade --target build/mutmut --requirement requirements/mutants.txt
	$(BIN)/python scripts/mutants.py

bench: $(READY)
	$(BIN)/python -m bench

ci: test demo

$(READY): pyproject.toml requirements/dev.txt scripts/system-deps.sh
	scripts/system-deps.sh
	python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(READY)

# Re-resolve the locked development dependencies (needs uv on PATH).
lock:
	uv pip compile pyproject.toml --extra simulator --group test --group lint --group build \
	    --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-emit-find-links \
	    --output-file requirements/dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .demo build

# Every target needs only Python >= 3.11, git and make; PYTHON chooses the interpreter.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PIP := $(BIN)/python $(INSTALL)
WHEEL := build/wheel
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt

PYTHONS ?= $(wildcard $(HOME)/.pyenv/versions/3.1[1-9].*/bin/python)
LOWEST := httpx==0.28.1 h11==0.16 anyio==4.11 attrs==24.2 cattrs==24.1 tenacity==9.0 platformdirs==4.2
PYTEST := -m pytest -q -n 2 --dist worksteal

.PHONY: demo test lint types docs check wheel-test test-pythons test-lowest coverage fuzz cancellations kills soak mutation \
	benchmarks clean

demo: $(VENV)/demo.stamp
	$(BIN)/apteligent demo

test: $(VENV)/test.stamp
	$(BIN)/python $(PYTEST)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/dev.stamp
	$(BIN)/mypy
	$(BIN)/basedpyright

check: lint types test

docs: $(VENV)/dev.stamp
	$(BIN)/mkdocs build --strict --quiet --config-file docs/site/mkdocs.yml

# The tests and what else they read are copied away from the source, so that nothing but the wheel can be imported;
# the captured answers are looked for beside the copy, as they are beside the project.
wheel-test: $(VENV)/dev.stamp
	rm -rf $(WHEEL) && mkdir -p $(WHEEL)/project
	$(BIN)/python -m build --wheel --no-isolation --outdir $(WHEEL) .
	git ls-files -z -- ':!apteligent_async' | tar --null -T - -cf - | tar -xf - -C $(WHEEL)/project
	test ! -d ../shared || ln -s "$(abspath ../shared)" $(WHEEL)/shared
	$(BIN)/python -m venv $(WHEEL)/venv
	$(WHEEL)/venv/bin/python $(INSTALL) --upgrade pip
	$(WHEEL)/venv/bin/python $(INSTALL) $(WHEEL)/*.whl --group test
	cd $(WHEEL)/project && ../venv/bin/python -c 'import apteligent_async as a; assert "site-packages" in a.__file__'
	cd $(WHEEL)/project && ../venv/bin/python $(PYTEST)

# The tests of the wheel on every Python that is found, and the tests with the oldest libraries that are allowed.
test-pythons:
	set -e; for python in $(PYTHONS); do $(MAKE) wheel-test PYTHON=$$python VENV=build/venv-$$(basename $$(dirname $$(dirname $$python))); done

test-lowest: $(VENV)/pip.stamp
	mkdir -p build
	grep -vE '^(httpx|h11|anyio|attrs|cattrs|tenacity|platformdirs)==' constraints.txt > build/lowest.txt
	printf '%s\n' $(LOWEST) >> build/lowest.txt
	$(BIN)/python -m venv build/lowest
	build/lowest/bin/python $(INSTALL) --upgrade pip
	build/lowest/bin/python -m pip install --quiet --constraint build/lowest.txt --editable . --group test
	build/lowest/bin/python $(PYTEST)

# The long forms of what the tests do in short.
coverage: $(VENV)/dev.stamp
	$(BIN)/python -m coverage run -m pytest -q
	$(BIN)/python -m coverage report --include='apteligent_async/_wire/*,apteligent_async/_scheduling/*' --fail-under=100 --show-missing --skip-covered
	$(BIN)/python -m coverage report --fail-under=95 --skip-covered

fuzz: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks.fuzz --runs 20000 --seed 7 --json

cancellations: $(VENV)/test.stamp
	$(BIN)/python -m pytest -q tests/test_random_cancellation.py -k line --cancellations 1000000

kills: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks.killtest --kills 100 --json

soak: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks.soak --minutes 10 --json

# An hour or more for all of the scheduler; one module: make mutation MUTANTS='apteligent_async._scheduling.leases*'.
# Which tests reach a function is found anew each time: what mutmut keeps of it leaves new functions without any.
mutation: $(VENV)/dev.stamp
	$(PIP) --group mutation
	rm -f mutants/mutmut-stats.json
	nice $(BIN)/mutmut run --max-children 2 $(MUTANTS)
	$(BIN)/mutmut results
	$(BIN)/mutmut export-cicd-stats
	cat mutants/mutmut-cicd-stats.json

benchmarks: $(VENV)/test.stamp
	set -e; for name in throughput decode imports scheduler_cost makespan goals; do $(BIN)/python -m benchmarks.$$name --json; done

clean:
	rm -rf mutants $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist demo-output

$(VENV)/pip.stamp: constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/demo.stamp: $(VENV)/pip.stamp pyproject.toml
	$(PIP) --editable '.[cli,simulator,speed]'
	touch $@

$(VENV)/test.stamp: $(VENV)/pip.stamp pyproject.toml
	$(PIP) --editable . --group test
	touch $@

$(VENV)/dev.stamp: $(VENV)/pip.stamp pyproject.toml
	$(PIP) --editable . --group dev
	touch $@

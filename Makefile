# Every target needs only Python >= 3.11, git and make; PYTHON chooses the interpreter.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PIP := $(BIN)/python $(INSTALL)
WHEEL := build/wheel
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt

.PHONY: demo test lint types check wheel-test clean

demo: $(VENV)/demo.stamp
	$(BIN)/apteligent demo

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest -q

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/dev.stamp
	$(BIN)/mypy

check: lint types test

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
	cd $(WHEEL)/project && ../venv/bin/python -m pytest -q

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist demo-output

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

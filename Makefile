# Two front doors: `make demo` and `make test`. Everything they need is set up on the way.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 3 # of the tests; each file is run by one of them
BIN := .venv/bin
PYTEST = $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
NPM_CI := npm ci --silent --no-audit --no-fund --ignore-scripts

.PHONY: demo test test-fast check audit goldens benchmark messages clean machine test-tools

demo: .venv/.run-ready app/static/vendor/.built
	$(BIN)/saferground demo --port $(PORT)

# Branch coverage is that of the engine: measured, tests take about twice as long.
test: check
	npm test --silent
	$(PYTEST) tests/spatial --cov=spatial
	$(PYTEST) --ignore=tests/spatial

# What a change is tried with: every test that is not slow.
test-fast: .venv/.dev-ready app/static/vendor/.built
	$(PYTEST) -m "not slow"

check: .venv/.dev-ready node_modules/.dev-ready app/static/vendor/.built test-tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy scripts
	$(BIN)/lint-imports
	npm run check --silent

# Needs a connection to PyPI's and npm's advisories; fails if any dependency could not be compared.
audit:
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install --quiet --disable-pip-version-check 'pip-audit>=2.10,<3'
	build/audit/bin/pip-audit --strict --disable-pip --no-deps -r requirements.lock
	build/audit/bin/pip-audit --strict --disable-pip --no-deps -r requirements-dev.lock
	npm audit --package-lock-only

# Writes tests/golden anew, the outputs that tests/test_golden.py compares; look at the difference.
goldens: .venv/.dev-ready app/static/vendor/.built
	PYTHONPATH=tests/support $(BIN)/python -m golden

benchmark: .venv/.dev-ready
	$(BIN)/python -m benchmarks

messages: .venv/.run-ready
	@mkdir -p build
	$(BIN)/pybabel -q extract -F babel.cfg -k lazy_gettext --no-location --sort-output -o build/messages.pot .
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width=100 \
		-D messages -d app/translations -i build/messages.pot

machine:
	@PYTHON=$(PYTHON) bash scripts/check-machine.sh

test-tools:
	@bash scripts/install-test-tools.sh

.venv/bin/pip: | machine
	$(PYTHON) -m venv .venv

.venv/.run-ready: requirements.lock pyproject.toml | .venv/bin/pip
	@echo "Installing the locked dependencies (a few minutes the first time)"
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/.dev-ready: requirements-dev.lock .venv/.run-ready
	@echo "Installing the locked tools for tests"
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# The tools that check scripts: a demonstration does without them.
node_modules/.dev-ready: package-lock.json | machine
	@echo "Installing the locked tools for scripts"
	$(NPM_CI)
	@touch $@

app/static/vendor/.built: package-lock.json scripts/assets.mjs | machine
	@echo "Building the browser assets from their npm packages"
	test node_modules/.dev-ready -nt package-lock.json || $(NPM_CI) --omit=dev
	node scripts/assets.mjs
	@touch $@

clean:
	rm -rf .venv node_modules app/static/vendor instance build dist test-output

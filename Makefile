# Umzug. `make demo` shows it, `make test` proves it; `make help` lists the rest.
# Everything needed is installed into .venv by the target that needs it.

SHELL := /bin/sh
PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK := .venv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

# Enough for Django's settings to load where nothing is run.
SETTINGS := PORTAL_SECRET_KEY=only-read PORTAL_KEY_RING=only-read:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

.PHONY: help demo demo-check screenshots test test-sqlite test-servers faults check check-long run worker beat bench messages lock clean browser meter common-passwords mutants

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

demo: .venv/demo.stamp meter ## Start everything on this machine with example data; Ctrl-C ends it
	@$(PY) -m sandbox.demo

demo-check: browser meter ## Drive the whole journey in a headless browser; exits 0 or tells what failed
	@$(PY) -m sandbox.check

screenshots: browser meter ## Take the pictures in docs/images anew from a running demo
	@$(PY) -m sandbox.check --pictures docs/images
	@$(PY) -m sandbox.desk_pictures
	@$(PY) -m sandbox.guide_pictures
	@$(PY) -m sandbox.import_pictures
	@$(PY) -m sandbox.letter_picture
	@$(PY) -m sandbox.mail_pictures
	@$(PY) -m sandbox.review_pictures

# Where the tests of the catalogue of faults are; in the last two no database takes part.
FAULTS := tests/faults tests/integration tests/property
FAULTS_ONCE := tests/contract tests/unit

# Which tests run beside which, and which of them also on servers, is in tests/lanes.py.
test: browser meter ## Run all tests on SQLite, and what touches the database on PostgreSQL and Valkey, side by side
	$(PY) -m tests.lanes sqlite servers -- $(ARGS)

test-sqlite: browser meter
	$(PY) -m tests.lanes sqlite -- $(ARGS)

test-servers: browser meter
	$(PY) -m tests.lanes servers -- $(ARGS)

faults: .venv/dev.stamp ## Try every fault with 20 seeds, on both databases; writes docs/reliability.md
	@rm -f build/faults-*.json
	-UMZUG_FAULT_SEEDS=20 UMZUG_FAULT_REPORT=build/faults-sqlite.json $(PY) -m pytest -m fault $(FAULTS) $(FAULTS_ONCE)
	-UMZUG_FAULT_SEEDS=20 UMZUG_FAULT_REPORT=build/faults-postgresql.json $(PY) -m tests.servers $(PY) -m pytest -m fault $(FAULTS)
	$(PY) -m tests.faults.report build/faults-sqlite.json build/faults-postgresql.json

check-long: .venv/dev.stamp ## Spoil 10,000 import files of each kind, and kill 20 imports anywhere
	UMZUG_LONG=1 $(PY) -m pytest tests/property/test_imports.py tests/integration/test_import_killed.py

check: .venv/dev.stamp ## Lint, types, templates, imports, schema migrations, deployment settings
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(SETTINGS) .venv/bin/mypy .
	.venv/bin/djlint templates --lint --quiet
	.venv/bin/lint-imports
	$(PY) -m portal.messages check
	$(PY) -m tests.manage makemigrations --check --dry-run
	$(PY) -m tests.manage --production check --deploy --fail-level WARNING

run: .venv/demo.stamp meter ## Start the web process with the settings of the environment
	$(PY) manage.py migrate --noinput
	$(PY) manage.py createcachetable
	$(PY) -m gunicorn portal.wsgi --bind 127.0.0.1:8000 --workers 2 --threads 4 --no-control-socket

worker: .venv/demo.stamp ## Start a worker with the settings of the environment
	$(PY) -m celery -A portal worker --loglevel INFO

beat: .venv/demo.stamp ## Start the clock of the sweep with the settings of the environment
	$(PY) -m celery -A portal beat --loglevel INFO

bench: .venv/dev.stamp ## Measure; prints a table and writes build/bench.json
	$(PY) -m bench

mutants: build/mutants-venv/stamp ## Change the reply parser line by line: do the tests notice? Needs 95 %
	build/mutants-venv/bin/python -m tests.mutants

build/mutants-venv/stamp: requirements-mutants.txt
	python3 -m venv build/mutants-venv
	build/mutants-venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-mutants.txt
	@touch $@

messages: .venv/dev.stamp ## Read new texts into the catalogues
	$(PY) -m portal.messages update

meter: ## Build the strength meter of the password page, where npm is installed
	@command -v npm >/dev/null 2>&1 || exit 0; \
	$(MAKE) --silent --no-print-directory build/static/strength/worker.js || echo "The strength meter could not be built: the password page does without."

common-passwords: .venv/demo.stamp meter ## Write the list of common passwords anew from its packages
	@mkdir -p build
	$(PY) assets/make_common_passwords.py > build/common_passwords.txt
	mv build/common_passwords.txt accounts/common_passwords.txt

lock: .venv/dev.stamp ## Write the lock files anew (needs uv in .venv)
	$(PIP:--require-hashes=) uv
	$(LOCK) -o requirements.txt
	$(LOCK) --group demo -o requirements-demo.txt
	$(LOCK) --group dev --group demo --group bench -o requirements-dev.txt
	$(LOCK) --group dev --group mutants -o requirements-mutants.txt

clean: ## Remove what was built; keeps var/, the demo's data
	rm -rf .venv build staticfiles assets/node_modules .mypy_cache .ruff_cache .pytest_cache

.venv/bin/python:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Umzug needs python3 3.11 or newer."; exit 1; }
	@python3 -c 'import ensurepip' 2>/dev/null || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	python3 -m venv .venv

.venv/demo.stamp: requirements-demo.txt $(wildcard portal/locale/*/LC_MESSAGES/django.po) | .venv/bin/python
	$(PIP) -r requirements-demo.txt
	$(PY) -m portal.messages compile
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/demo.stamp
	$(PIP) -r requirements-dev.txt
	@touch $@

build/static/strength/worker.js: assets/package-lock.json assets/.npmrc assets/build.js assets/worker.js accounts/common_passwords.txt
	@cd assets && npm ci --ignore-scripts --silent && node build.js

# Debian's Chromium where we are root, else the one Playwright downloads.
browser: .venv/dev.stamp
	@command -v chromium >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
	|| $(PY) -m playwright install chromium \
	|| echo "No browser could be installed: the browser tests will be left out."

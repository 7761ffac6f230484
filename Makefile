# Works with GNU make 3.81, which macOS brings. `make` alone lists the commands.

PYTHON ?= python3
PORT ?= 8080
FUZZ ?= tests/properties
LONG ?= tests
RACES ?= tests/races
BASE ?= HEAD
WORKERS ?= 2
export PYTHON
# Tests start hundreds of processes, each of which would compile the product anew where this is set.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
TEST_NEEDS := mariadb chromium libatomic curl slapd freeradius redis wrk nginx caddy haproxy promtool systemd-analyze

.DEFAULT_GOAL := help
.PHONY: help run check test test-quick test-one test-long test-races test-cluster fuzz lint fix docs lock bench bench-growth bench-versions clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install and start on http://127.0.0.1:8080 with the sandbox (PORT=9000 for another port)
	@scripts/install
	@$(BIN)/messenger-api serve --sandbox --port $(PORT)

check: ## run what CI runs: the checks, then every test, none of which may be skipped
	@.ci/run

# Many tests wait for servers, so that two processes keep two cores busy. A file's tests stay in one process.
test: ## run all tests, MariaDB and the browser included, with the coverage gate (WORKERS=2 processes)
	@scripts/install test
	@scripts/system-packages $(TEST_NEEDS)
	$(BIN)/python -m pytest --ignore=tests/cluster --numprocesses=$(WORKERS) --dist=loadfile --cov --cov-report=term

# Without the simulations (outages, races, attacks, any input), without what waits for neighbours that are late
# (providers, login methods, proxies), and without the rooms beside the core, each of which has its own tests.
NOT_QUICK := cluster faults races trust properties gateways login proxies shadow moving media

test-quick: ## run the core's tests that start no process and wait for nothing, with fewer examples
	@scripts/install test
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile -m "not server and not long" --hypothesis-profile=quick \
		$(patsubst %,--ignore=tests/%,$(NOT_QUICK))

test-one: ## run one test, one file or one folder (T=tests/contract/test_ops.py::test_name)
	@scripts/install test
	$(BIN)/python -m pytest $(T)

# Elsewhere a test that takes longer than ten minutes hangs (setup.cfg).
NO_END := -o timeout=0

test-long: ## run whole the matrices and simulations of which make test runs a sample (LONG=... for one file)
	@scripts/install test
	@scripts/system-packages $(TEST_NEEDS)
	LONG_TESTS=1 $(BIN)/python -m pytest $(LONG) --ignore=tests/cluster -m long -s $(NO_END)

# Half an hour and more: two changes of turn, on SQLite and MariaDB, up to 600 orders a case.
test-races: ## run requests and workers at once in every order with two changes of turn (make test: a sample with one)
	@scripts/install test
	@scripts/system-packages mariadb
	RACES=1 $(BIN)/python -m pytest $(RACES) -s $(NO_END)

fuzz: ## try ten times as many inputs as the tests do, others each time (FUZZ=... for one file)
	@scripts/install test
	@scripts/system-packages mariadb redis
	$(BIN)/python -m pytest $(FUZZ) --hypothesis-profile=fuzz $(NO_END)

test-cluster: ## kill nodes of a Galera cluster under load, and drain a long outbox (minutes)
	@scripts/install test
	@scripts/system-packages mariadb galera haproxy
	$(BIN)/python -m pytest tests/cluster -s

lint: ## check style, format, types and the direction of imports
	@scripts/install lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: ## mend what can be mended: style, format, and the files that are made from the code
	@scripts/install lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	set -e; for script in scripts/make-*; do $(BIN)/python $$script; done

docs: ## build the guide, a site of pages, from docs/ (seconds)
	@scripts/install docs
	@$(BIN)/python scripts/guide

lock: ## bring all packages to the newest versions that setup.cfg admits, and write requirements.lock
	@scripts/install lint
	$(BIN)/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable ".[axe,bench,lint,test]"
	$(BIN)/python scripts/lock

bench: ## measure every op on MariaDB and SQLite (minutes; BENCH=--help lists what can be chosen)
	@scripts/install bench
	@scripts/system-packages mariadb wrk
	$(BIN)/python -m benchmarks --plot $(BENCH)

bench-growth: ## measure how ops slow down with ten times the users and phone books
	@scripts/install bench
	@scripts/system-packages mariadb wrk
	$(BIN)/python -m benchmarks.versions --grown --users 100000 $(BENCH)

bench-versions: ## compare what calls cost in an earlier version (BASE=v1.0, default HEAD) and in the working tree
	@scripts/install bench
	@scripts/system-packages mariadb wrk
	$(BIN)/python -m benchmarks.versions $(BASE) $(BENCH)

clean: ## remove .venv, benchmark data and what the tools left; data in instance/ and uploads/ stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf benchmarks/.data benchmarks/results
	rm -rf build dist messenger_api/guide .cache *.egg-info .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

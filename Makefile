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
	@echo 'make docs           README, docs/ and the elements as one site; links checked'
	@echo 'make pictures       the pictures in docs/ anew, from their texts and a run of make demo'
	@echo 'make lint | unit | functional    one part of them'
	@echo 'make faults SEED=… N=…           break things, count what is lost'
	@echo 'make faults-metadata SEED=… N=…  the same for the metadata that comes in'
	@echo 'make faults-cloud SEED=… N=…     break the control plane under real stacks'
	@echo 'make bench-scale N=…  that many servers on one Zaqar and one Keystone'
	@echo 'make hostile-server  every request against a server that is slow, huge or breaks off'
	@echo 'make fuzz SECONDS=…  metadata and hooks’ answers, as a fuzzer makes them up'
	@echo 'make bench          all that is measured, against heat-agents and a floor, in one table'
	@echo 'make bench QUICK=1               … in five minutes; ROWS=… some of it alone'
	@echo 'make bench-latency  the service at its limits: many posts, rounds, messages'
	@echo 'make heat-table     Heat with the plug-in against Heat alone, when things go wrong'
	@echo 'make matrix         every way in with every way out, through a stack’s whole life'
	@echo 'make example-templates DIR=…     those of openstack/heat-templates, on this agent'
	@echo 'make bench-many     many deployments in one run'
	@echo 'make deb            Debian packages: RELEASE=trixie, REVISION=2'
	@echo 'make rpm            RPMs for the RHEL family 9: REVISION=2'
	@echo 'make test-packages  the packages, from installed to purged, on pristine servers; boot-config'
	@echo 'make image          an image for a cloud: qcow2 with kernel and cloud-init'
	@echo 'make lab | lab-down a control plane on this machine: Keystone, Zaqar, Heat'
	@echo 'make lab SWIFT=1                  … with Swift'
	@echo 'make lab PROFILE=ha               … each part twice, with failover between'
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

.PHONY: docs
docs:
	$(call ended,make docs,\
	tools/step 'Debian packages' tools/setup && \
	rm -rf .cache/docs && \
	$(TOX) run -q -e docs && \
	echo "the site is in $(CURDIR)/.cache/docs/docs/index.html")

.PHONY: pictures
pictures:
	$(call ended,make pictures,\
	tools/step 'Debian packages' tools/setup image lab && \
	tools/step 'Control plane environment' $(PYTHON) -m lab install && \
	$(LAB_PYTHON) -m pictures)

.PHONY: lint unit functional
lint unit functional:
	@tools/step 'Debian packages' tools/setup image lab test
	@$(TOX) run -e $@

.PHONY: bench
bench:
	@tools/step 'Debian packages' tools/setup image lab test
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@$(TOX) run -q -e bench -- -m bench $(if $(QUICK),--quick) $(ROWS)

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

# Whose software answers: SIDE=plugin, or SIDE=alone for Heat without the plug-in.
.PHONY: faults-cloud
faults-cloud:
	@tools/step 'Debian packages' tools/setup lab ha test
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@$(TOX) run -q -e faults -- -m faults.cloud $(if $(SEED),--seed $(SEED)) --number $(or $(N),200) \
	    $(if $(SIDE),--side $(SIDE))

.PHONY: bench-scale
bench-scale:
	@tools/step 'Debian packages' tools/setup lab test
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@$(TOX) run -q -e bench -- -m scale --number $(or $(N),200) $(if $(WAY),--way $(WAY))

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

.PHONY: example-templates
example-templates:
	@tools/step 'Debian packages' tools/setup image lab test
	@tools/step 'Control plane environment' $(PYTHON) -m lab install
	@$(TOX) run -q -e bench -- -m examples $(DIR)

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
	@tools/step 'Debian packages' tools/setup lab $(filter ha,$(PROFILE))
	@$(PYTHON) -m lab up $(if $(SWIFT),--swift) $(if $(filter ha,$(PROFILE)),--ha)
lab-down:
	@$(PYTHON) -m lab down

.PHONY: clean
clean:
	@if [ -d .cache/lab ]; then $(PYTHON) -m lab down; fi
	rm -rf .cache .tox

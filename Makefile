# Two commands: `make sandbox` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3)
CACHE := $(CURDIR)/.cache
VENV := $(CACHE)/venv
# The link makes ansible_collections.openclaw.mission_control importable, for Ansible and for Python alike.
COLLECTIONS := $(CACHE)/collections
LINK := $(COLLECTIONS)/ansible_collections/openclaw/mission_control
APPLICATION := $(CACHE)/reference_application
SANDBOX := $(PYTHON) molecule/shared/sandbox.py
SYSTEM_PACKAGES := python3-venv git openssh-client systemd-container mmdebstrap dbus iproute2 iptables
# Tests start a PostgreSQL and a Redis of their own.
TEST_PACKAGES := postgresql redis-server
# Unit tests wait for hosts and for moments: there are more of them at once than processors.
UNIT_WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
SCENARIO ?=
# Which stages there are, and what they start from, is in that program.
STAGES := python tests/run_stages.py $(if $(TEST_FULL),--full) $(if $(TEST_MINUTES),--minutes $(TEST_MINUTES)) \
	$(if $(TEST_AGAIN),--again-until $(TEST_AGAIN))
# What `make sandbox` deploys: the stand-in, or the real product by its Git URL, an archive or a directory.
SOURCE ?=
PLAYBOOK := ansible-playbook -i inventory/sandbox

export PATH := $(VENV)/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export MISSION_CONTROL_SOURCE := $(SOURCE)
export TEST_FULL
export ANSIBLE_HOME := $(CACHE)/ansible
export MOLECULE_GLOB := molecule/*/molecule.yml
# Each of the many programs starts in half of the time when Python may keep what it compiled; here it lies in nobody's way.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CACHE)/bytecode

.PHONY: help
help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Installs the Debian packages named in $(1) that are missing.
define install_debian_packages
	missing=$$(for package in $(1); do dpkg-query -W -f='$${db:Status-Status}\n' $$package 2>/dev/null | grep -qx installed || echo $$package; done)
	if [ -n "$$missing" ]; then
	  [ "$$(id -u)" = 0 ] || { echo "Debian packages are missing. As root: apt-get install" $$missing >&2; exit 1; }
	  echo "Installing Debian packages:" $$missing
	  export DEBIAN_FRONTEND=noninteractive
	  { apt-get -q update && apt-get -qy -o DPkg::Lock::Timeout=120 install --no-install-recommends $$missing; } >$(CACHE)/apt.log 2>&1 || { tail -20 $(CACHE)/apt.log >&2; exit 1; }
	fi
endef

.PHONY: setup
setup: $(CACHE)/system.installed $(VENV)/installed ## Install what the other targets need: Debian packages, and Python packages below .cache
	@# What ansible-galaxy installed into this place is no use here: the checkout is to be tested.
	[ $(LINK) -ef . ] || { rm -rf $(LINK); mkdir -p $(dir $(LINK)); ln -sfnT $(CURDIR) $(LINK); }

$(CACHE)/system.installed: Makefile
	@mkdir -p $(CACHE)
	$(call install_debian_packages,$(SYSTEM_PACKAGES))
	touch $@

$(CACHE)/test-system.installed: $(CACHE)/system.installed
	@# No cluster of the distribution's own is wanted on the machine that runs the tests.
	mkdir -p /etc/postgresql-common
	[ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
	$(call install_debian_packages,$(TEST_PACKAGES))
	touch $@

$(VENV)/installed: tests/requirements.txt $(CACHE)/system.installed
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.13" >&2; exit 1; }
	echo "Installing Python packages into .cache/venv"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check "$$(grep ^uv== tests/requirements.txt)"
	$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python -r tests/requirements.txt
	$(VENV)/bin/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "checkout.pth").write_text("$(COLLECTIONS)\n")'
	touch $@

.PHONY: application
application: setup # The reference application, packed as a source directory
	@python molecule/reference_application/pack.py --uv $(VENV)/bin/uv $(APPLICATION)

.PHONY: sandbox
sandbox: setup application ## Boot a host, deploy the stand-in to it and verify it
	@$(SANDBOX) create mission-control
	$(PLAYBOOK) playbooks/deploy.yml
	$(PLAYBOOK) molecule/shared/seed.yml molecule/gateway/seed.yml
	# A gateway that was started a moment ago answers its first questions late.
	$(PLAYBOOK) playbooks/verify.yml -e verify_deadline=180
	$(PLAYBOOK) molecule/shared/show.yml

.PHONY: sandbox-destroy
sandbox-destroy: ## Remove the sandbox's hosts and all that belongs to them
	@$(SANDBOX) destroy --all
	rm -rf $(APPLICATION) $(CACHE)/secrets

.PHONY: lint
lint: setup ## ruff, mypy, yamllint and ansible-lint
	@ruff check .
	ruff format --check .
	mypy -p ansible_collections.openclaw.mission_control.plugins
	mypy molecule/shared tests/run_stages.py tests/matrix.py
	MYPYPATH=tests mypy tests/galaxy.py
	# It would walk through all of the working directory, running hosts' file systems too.
	find . \( -path ./.cache -o -path ./.git \) -prune -o \( -name '*.yml' -o -name '*.yaml' -o -name .yamllint \) -print0 |
	  xargs -0 yamllint --strict
	ansible-lint

.PHONY: unit
unit: setup $(CACHE)/test-system.installed ## The unit tests
	@python -m pytest -n $(UNIT_WORKERS) --dist loadfile --no-loadscope-reorder --durations 20 tests/unit

.PHONY: unit-newest
unit-newest: setup $(CACHE)/test-system.installed ## The unit tests that touch Ansible, on the newest ansible-core
	@python tests/matrix.py unit newest

VERSION ?=
.PHONY: matrix
matrix: setup application $(CACHE)/test-system.installed ## Unit tests, ansible-lint, deployments and the leak test on each newer ansible-core; VERSION=2.22 takes one
	@python tests/matrix.py everything $(VERSION)

.PHONY: sanity
sanity: setup ## Galaxy's tools: ansible-test sanity, galaxy-importer, antsibull-docs
	@python tests/galaxy.py $(if $(TEST_FULL),--full)

.PHONY: reference
reference: setup $(CACHE)/test-system.installed ## The reference application's own tests
	@python molecule/reference_application/tests/run.py --uv $(VENV)/bin/uv

.PHONY: molecule
molecule: setup application ## The Molecule scenarios; SCENARIO=name runs one
	@$(STAGES) $(or $(SCENARIO),scenarios)

.PHONY: test
test: setup application $(CACHE)/test-system.installed ## Everything that CI runs, several stages at once
	@$(STAGES)

.PHONY: test-full
test-full: ## The same with the long campaigns
	@$(MAKE) test TEST_FULL=1

.PHONY: benchmark
benchmark: sandbox ## Measure the playbooks against a lone ping play, on the sandbox's host
	@python benchmarks/run.py

.PHONY: build
build: setup ## Build the collection's archive into .cache/dist
	@ansible-galaxy collection build --force --output-path $(CACHE)/dist

.PHONY: docs-files
docs-files: setup ## Write what is generated of the documentation's files
	@python docs/write_docs.py

.PHONY: docs
docs: docs-files ## The same, and build the documentation's site into .cache/site/html
	@python docs/build_site.py

.PHONY: clean
clean: sandbox-destroy ## Remove everything that these targets made below .cache
	@rm -rf $(CACHE)

# Two commands: `make sandbox` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
.DELETE_ON_ERROR:

PYTHON ?= python3
CACHE := $(CURDIR)/.cache
VENV := $(CACHE)/venv
BIN := $(VENV)/bin
# The link makes ansible_collections.openclaw.mission_control importable, for Ansible and for Python alike.
LINK := $(CACHE)/collections/ansible_collections/openclaw/mission_control
SANDBOX := $(PYTHON) molecule/shared/sandbox.py
SANDBOX_HOST := mission-control
APPLICATION := $(CACHE)/reference_application
# Debian packages of the machine that runs make: nspawn hosts, the tests' own PostgreSQL and Redis, and a browser-free rest.
SYSTEM_PACKAGES := python3-venv git openssh-client systemd-container mmdebstrap dbus iproute2 iptables
TEST_PACKAGES := postgresql redis-server

export PATH := $(BIN):$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export MOLECULE_GLOB := molecule/*/molecule.yml
export ANSIBLE_HOME := $(CACHE)/ansible

.PHONY: help
help: ## Show this list
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Set-up
.PHONY: setup
setup: $(CACHE)/.system $(VENV)/.complete ## Install what the other targets need (below .cache, and Debian packages)

$(CACHE)/.system: Makefile
	@mkdir -p $(CACHE)
	missing=$$(for p in $(SYSTEM_PACKAGES); do dpkg-query -W -f='$${Status}\n' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done)
	if [ -n "$$missing" ]; then
	  if [ "$$(id -u)" != 0 ]; then echo "Missing Debian packages; as root: apt-get install" $$missing >&2; exit 1; fi
	  echo "Installing Debian packages:" $$missing
	  apt-get -qq update
	  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 install --no-install-recommends $$missing >$(CACHE)/apt.log 2>&1 || { tail -20 $(CACHE)/apt.log; exit 1; }
	fi
	touch $@

$(VENV)/.complete: tests/requirements.txt $(CACHE)/.system
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: name a newer one with PYTHON=..." >&2; exit 1; }
	echo "Installing Python packages into .cache/venv"
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	mkdir -p $(dir $(LINK)) $(VENV)/lib/collections
	ln -sfn $(CURDIR) $(LINK)
	$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "mission_control_checkout.pth").write_text("$(CACHE)/collections\n")'
	touch $@

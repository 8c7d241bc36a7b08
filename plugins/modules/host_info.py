#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Inspect a host and what is deployed on it, in one call
version_added: "1.0.0"
description:
  - Returns the operating system, Python interpreters, memory, free disk space, installed packages, listening
    sockets, files, releases, units and their running processes.
  - It replaces two dozen C(stat) and C(command) tasks, each of which would cost half a second.
  - Secrets stay on the host. Of files and of the environment of processes only digests are returned.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  user:
    description:
      - The application user. It need not exist yet.
    type: str
  root:
    description:
      - Application root below which releases are looked for. A leading C(~) is the home of O(user).
    type: str
  paths:
    description:
      - Paths whose free disk space is wanted. Of a path that does not exist, its nearest parent is taken.
    type: list
    elements: str
    default: []
  packages:
    description:
      - Names of Debian packages whose installed version is wanted.
    type: list
    elements: str
    default: []
  files:
    description:
      - Paths to describe, with a SHA-256 digest of regular files. A leading C(~) is the home of O(user).
    type: list
    elements: str
    default: []
  units:
    description:
      - User units of O(user) to describe, with their main process.
    type: list
    elements: str
    default: []
  system_units:
    description:
      - Units of the system manager to describe.
    type: list
    elements: str
    default: []
  ports:
    description:
      - TCP ports whose listeners are wanted. All of them when empty.
    type: list
    elements: int
    default: []
  firewall:
    description:
      - Whether to ask the kernel for the table of nftables that the role C(firewall) loads.
    type: bool
    default: false
  adoption:
    description:
      - Whether to look for an installation of O(user) that was set up by hand or by the product's installer.
    type: bool
    default: false
  gateway_user:
    description:
      - The user as whom the gateway shall run; empty where the operator names none. See RV(gateway).
    type: str
    default: ""
  secret_settings:
    description:
      - Names of settings of that installation whose values are never shown, besides those whose name or value
        says so.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the same without changing anything.
    support: full
  diff_mode:
    description: Returns details of what would change.
    support: N/A
    details: Nothing is ever changed.
  platform:
    description: Target systems.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Look at the host
  openclaw.mission_control.host_info:
    user: mission-control
    root: ~/mission-control
    packages: [git, postgresql]
    units: [mission-control-backend, mission-control-worker, mission-control-frontend]
  become: true
  register: host

- name: Say which release really runs
  ansible.builtin.debug:
    msg: "{{ host.units['mission-control-backend.service'].process.release }}"
"""

RETURN = r"""
os:
  description: Operating system.
  returned: always
  type: dict
  sample: {id: debian, version: "13", codename: trixie, architecture: x86_64, init: systemd}
python:
  description: Python interpreters, newest first.
  returned: always
  type: list
  elements: dict
  sample: [{path: /usr/bin/python3.13, version: "3.13", suitable: true, venv: true}]
interpreter:
  description:
    - The Python that runs Ansible's modules. C(missing) names libraries that are not there and that packages
      of the distribution do not bring it, because it is another Python or a virtual environment of its own.
  returned: always
  type: dict
  sample: {path: /usr/bin/python3, virtual: false, missing: []}
cpus:
  description: Number of processors.
  returned: always
  type: int
memory:
  description: Memory in bytes.
  returned: always
  type: dict
  sample: {total_bytes: 4000000000, available_bytes: 3000000000, swap_bytes: 0}
user_namespaces:
  description: Whether users may make user namespaces, which sandboxing of their units needs.
  returned: always
  type: bool
disk:
  description: Space by path.
  returned: always
  type: dict
  sample: {/srv: {checked: /srv, total_bytes: 9, available_bytes: 5, total_inodes: 9, available_inodes: 5,
                  noexec: false}}
packages:
  description: Installed version by package, null where it is not installed.
  returned: always
  type: dict
gateway:
  description:
    - As whom the gateway shall run here (C(user)), as whom it runs (C(holder), empty where there is none),
      the same if it has to be moved from there (C(former)), whether it was set up by hand (C(by_hand)),
      whether C(user) has another gateway's data (C(occupied)), and how that account stands (C(account)).
  returned: with O(user)
  type: dict
  sample:
    user: openclaw
    holder: mission-control
    former: mission-control
    by_hand: false
    occupied: false
    account: {exists: true, uid: 1001, home: /home/openclaw, lingering: true, running: true}
listeners:
  description:
    - Listening TCP sockets with the process and the unit that hold them.
    - C(unknown) where no process was found because who could hold it has more files open than is looked at.
  returned: always
  type: list
  elements: dict
  sample: [{protocol: tcp, address: 127.0.0.1, port: 8000, uid: 1000, user: ubuntu, pid: 7, pids: [7],
            command: python, unit: mission-control-backend.service, unknown: false}]
user:
  description: The application user; its C(exists) is false when there is none.
  returned: always
  type: dict
  sample: {exists: true, name: mission-control, uid: 1000, gid: 1000, group: mission-control,
           home: /home/mission-control, shell: /bin/bash, system: false, lingering: true,
           comment: OpenClaw Mission Control,
           ageing: {known: true, ages: false, expired: "", must_change: false, password: "", account: ""},
           manager: {running: true, runtime_directory: /run/user/1000}}
files:
  description: Files by (expanded) path.
  returned: always
  type: dict
  sample: {/etc/hosts: {exists: true, kind: file, mode: "0644", owner: root, group: root, size: 9, sha256: a}}
releases:
  description: >-
    Releases below O(root), oldest first, and the current one, with the platform that its backend names to
    gateways.
  returned: always
  type: dict
  sample:
    root: /home/mc/mission-control
    current: abc
    current_target: releases/abc
    available: []
    gateway_platform: linux
firewall:
  description:
    - What the kernel has of the table of the role C(firewall), null without O(firewall).
    - C(state) is V(absent), V(loaded), or V(other) where it holds something else than that role writes;
      C(ports) are those that it closes, with who is let through; C(refusal) says why the kernel takes no
      rules of nftables, where it does not.
  returned: always
  type: dict
  sample: {state: loaded, ports: [{port: 8000, sources: [192.0.2.7]}], refusal: ""}
maintenance:
  description: Since when and why there is maintenance, as a sentence; empty when there is none.
  returned: always
  type: str
installed_user:
  description: The user of the Mission Control that the host's command is for; empty when there is none.
  returned: always
  type: str
units:
  description:
    - User units by full name, each with its main process.
    - Null for each unit when the user or its manager is not there.
  returned: always
  type: dict
system_units:
  description: System units by full name.
  returned: always
  type: dict
journal:
  description:
    - Whether the journal has a place on disk, the value of C(Storage) that is in force for journald, and the
      file that sets it.
  returned: always
  type: dict
  sample: {persistent: true, storage: persistent,
           storage_file: /etc/systemd/journald.conf.d/50-mission-control.conf}
adoption:
  description:
    - An installation that was set up by hand; null when there is none or O(adoption) is false.
    - Its C(state) is V(found) before it is taken over, V(pending) until a release has passed its gate,
      then V(done).
    - Secrets among its settings are hidden.
  returned: always
  type: dict
  sample: {state: found, kind: guide, tree: /home/ubuntu/mission-control, kept: "", at: "",
           revision: 75eb8b089480, processes: [],
           units: [{name: mission-control-backend.service, active: true, enabled: true}],
           entries: [backend, frontend, scripts], listens: {backend: {host: 0.0.0.0, port: "8000"}},
           settings: {LOG_LEVEL: DEBUG}, identity: /home/ubuntu/.openclaw/identity/device.json}
time:
  description: Clock of the host, seconds since the epoch.
  returned: always
  type: float
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._failing import fail
from ..module_utils._host.deployment_errors import os_error
from ..module_utils._host.errors import HostError
from ..module_utils._inspection import HostRequest, collect
from ..module_utils._terminal import clean_data


def main() -> None:
    texts = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str"},
            "root": {"type": "str"},
            "paths": texts,
            "packages": texts,
            "files": texts,
            "units": texts,
            "system_units": texts,
            "ports": {"type": "list", "elements": "int", "default": []},
            "firewall": {"type": "bool", "default": False},
            "adoption": {"type": "bool", "default": False},
            "gateway_user": {"type": "str", "default": ""},
            # Their names only.
            "secret_settings": {**texts, "no_log": False},
        },
        supports_check_mode=True,
    )
    try:
        result = collect(HostRequest(**module.params))
    except (HostError, OSError) as found:
        error = found if isinstance(found, HostError) else os_error(found)
        fail(module, error.result())
    # What it tells stands in messages: names of processes, of files, of hosts.
    module.exit_json(changed=False, **clean_data(result))


if __name__ == "__main__":
    main()

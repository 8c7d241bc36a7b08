#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_setup
short_description: Set up backups of Mission Control on a host
version_added: "1.0.0"
description:
  - Opens the repository of restic, makes it where there is none, and only then writes its password, its keys,
    the configuration and the timers. All files are root's alone.
  - A repository that was there once and is gone is not made again. Its disk may only not be mounted.
  - The role P(openclaw.mission_control.backup#role) calls it.
requirements:
  - C(restic) 0.17 or newer on the host.
options:
  state:
    description:
      - V(absent) removes timers and configuration. The repository and its password stay.
      - V(tried) changes nothing. It fails for what would fail later - a server that does not answer, a
        password that does not open the repository, no repository where O(restore) wants one, another
        host's or a newer version's restore points, too little room. Where restic is not installed, its
        package is unpacked aside.
    type: str
    choices: [present, absent, tried]
    default: present
  restore:
    description: With O(state=tried), the restore point that is wanted of it, V(latest) or a name.
    type: str
    default: ""
  downloads:
    description: With O(state=tried), environment variables for apt, without secrets.
    type: dict
    default: {}
  apt_configuration:
    description: With O(state=tried), lines of an C(apt.conf), such as a proxy with its password.
    type: str
    default: ""
  offline:
    description: With O(state=tried), whether packages come out of a bundle that is not on the host yet.
    type: bool
    default: false
  configuration:
    description:
      - What is backed up, where to and how much of it is kept, as the role has it in its variables.
    type: dict
    default: {}
  password:
    description: Password of the repository. Without it the one that is on the host stays.
    type: str
    default: ""
  credentials:
    description: Environment variables of restic that open the repository, such as C(AWS_ACCESS_KEY_ID).
    type: dict
    default: {}
  ssh_key:
    description: Private key for a repository on an SFTP server.
    type: str
    default: ""
  known_hosts:
    description: Lines that name the keys of the SFTP server.
    type: str
    default: ""
  make_repository:
    description: Whether a repository is made where there is none.
    type: bool
    default: true
  units:
    description: Texts of the units by their names.
    type: dict
    default: {}
  timers:
    description: Which of them are to be enabled and started.
    type: list
    elements: str
    default: []
  path:
    description: Where the configuration stands.
    type: path
    default: /etc/mission-control/backup.json
attributes:
  check_mode:
    description: Can run in check mode and tells which files would be written.
    support: full
  diff_mode:
    description: Has nothing to show that is no secret.
    support: none
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Set up backups
  openclaw.mission_control.backup_setup:
    configuration:
      repository: sftp:backup@store.example.com:/srv/backups
      host: mc1
      environment: production
      user: mission-control
      root: ~/mission-control
      parts: [database, settings]
    password: "{{ vault_backup_password }}"
    known_hosts: store.example.com ssh-ed25519 AAAA...
    ssh_key: "{{ vault_backup_ssh_key }}"
  become: true
"""

RETURN = r"""
actions:
  description: What was, or in check mode would be, done.
  type: list
  elements: str
  returned: success
differs:
  description: Whether anything is to be set up.
  type: bool
  returned: O(state=tried)
repository_made:
  description: Whether there was no repository before.
  type: bool
  returned: success
leaves_the_host:
  description: Whether the repository outlives the host, as far as its address tells.
  type: bool
  returned: success
output:
  description: The last lines of restic.
  type: list
  elements: str
  returned: failure
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._backup.setting_up import set_up


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent", "tried"], "default": "present"},
            "restore": {"type": "str", "default": ""},
            "downloads": {"type": "dict", "default": {}},
            "apt_configuration": {"type": "str", "default": "", "no_log": True},
            "offline": {"type": "bool", "default": False},
            "configuration": {"type": "dict", "default": {}},
            "password": {"type": "str", "default": "", "no_log": True},
            "credentials": {"type": "dict", "default": {}, "no_log": True},
            "ssh_key": {"type": "str", "default": "", "no_log": True},
            "known_hosts": {"type": "str", "default": ""},
            "make_repository": {"type": "bool", "default": True},
            "units": {"type": "dict", "default": {}},
            "timers": {"type": "list", "elements": "str", "default": []},
            "path": {"type": "path", "default": "/etc/mission-control/backup.json"},
        },
        supports_check_mode=True,
    )
    finish(module, lambda: set_up(module.params, check=module.check_mode))


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_command
short_description: Install or remove the command mission-control on an application host
version_added: "1.0.0"
description:
  - Installs one executable file, C(mission-control), with the checks of this collection in it, its
    configuration (0600, of the application's user) and its completion for bash.
  - The command works without Ansible, as root and as the application's user. The configuration holds no
    secret. The token and the database's address are read from the deployed environment file.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
attributes:
  check_mode:
    description: Says what would be done, and does not do it.
    support: full
  diff_mode:
    description: Shows which files differ, and the configuration before and after.
    support: full
  platform:
    description: Systems on which it runs.
    support: full
    platforms: posix
options:
  completion:
    description: Set by the action plugin.
    type: str
    default: ''
  sources_digest:
    description: Set by the action plugin.
    type: str
    default: ''
  sources:
    description: Set by the action plugin, where the command on the host is made of other sources.
    type: path
  state:
    description:
      - Whether the command shall be there.
    type: str
    choices: [present, absent]
    default: present
  user:
    description:
      - The application's user. It must exist.
    type: str
  gateway_user:
    description:
      - The user that runs the gateway. Without it, O(user).
    type: str
    default: ''
  root:
    description:
      - The application's root directory. A leading C(~) is the home of O(user).
    type: str
    default: ~/mission-control
  services:
    description:
      - The services that run on this host.
    type: list
    elements: str
    choices: [gateway, backend, worker, frontend]
    default: [backend, worker, frontend]
  verify:
    description:
      - What C(mission-control verify) does. C(checks), C(skip), C(waivers), C(suite_deadline),
        C(options) (options of M(openclaw.mission_control.verify) that hold for all checks) and
        C(check_options) (by the checks' names).
    type: dict
    default: {}
  path:
    description:
      - Where the command is installed.
    type: path
    default: /usr/local/bin/mission-control
  completion_path:
    description:
      - Where its completion for bash is installed.
    type: path
    default: /usr/local/share/bash-completion/completions/mission-control
seealso:
  - module: openclaw.mission_control.verify
"""

EXAMPLES = r"""
- name: Install the command
  openclaw.mission_control.host_command:
    user: mission-control
    verify:
      options:
        public_url: http://mission-control.example.com:3000
  become: true

- name: Remove it
  openclaw.mission_control.host_command:
    state: absent
  become: true
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done.
  type: list
  elements: dict
  returned: always
  contains:
    path: {description: The file., type: str, returned: always}
    action: {description: V(install) or V(remove)., type: str, returned: always}
    reason: {description: What differed., type: str, returned: always}
missing_packages:
  description: Debian packages without which a part of it does not work, such as C(psql) or the completion.
  type: list
  elements: str
  returned: always
"""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._application.components import SERVICES
from ..module_utils._application.layout import COMMAND_CONFIGURATION
from ..module_utils._command.archive import (
    SPECIFICATION,
    Wanted,
    archive,
    configuration_text,
    differs,
    install,
    remove,
)
from ..module_utils._host.accounts import expand_home, find_account
from ..module_utils._host.errors import HostError

NEEDED = {
    "postgresql-client": ("psql",),
    "bash-completion": ("/usr/share/bash-completion/bash_completion",),
}


def missing_packages(services: list[str]) -> list[str]:
    found = []
    for package, programs in NEEDED.items():
        if package == "postgresql-client" and "backend" not in services:
            continue
        if not any(shutil.which(name) or (name.startswith("/") and Path(name).exists()) for name in programs):
            found.append(package)
    return found


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SPECIFICATION,
            "completion": {"type": "str", "default": ""},
            "sources_digest": {"type": "str", "default": ""},
            "sources": {"type": "path"},
        },
        required_if=[("state", "present", ["user"])],
        supports_check_mode=True,
    )
    options = module.params
    actions: list[dict[str, str]] = []
    configuration_path = COMMAND_CONFIGURATION
    if options["state"] == "absent":
        for path in (options["path"], options["completion_path"], configuration_path):
            if not Path(path).exists():
                continue
            actions.append({"path": path, "action": "remove", "reason": "it shall not be there"})
            if not module.check_mode:
                remove(path, empty_parent=path == configuration_path)
        module.exit_json(changed=bool(actions), actions=actions, missing_packages=[])
    try:
        account = find_account(options["user"])
        # In check mode the gateway's user may be one that would have been made before.
        if options["gateway_user"] and not module.check_mode:
            find_account(options["gateway_user"])
    except HostError as error:
        module.fail_json(msg=f"{error.message} {error.remedy}".strip(), actions=[], missing_packages=[])
    text = configuration_text(
        user=account.name,
        gateway_user=options["gateway_user"],
        root=expand_home(options["root"], account),
        services=[name for name in SERVICES if name in options["services"]],
        verify=options["verify"],
    )
    command = Wanted(options["path"], b"", 0o755)
    digest = options["sources_digest"]
    outdated = differs(command, digest)
    if outdated and not module.check_mode:
        if not options["sources"]:
            module.exit_json(changed=False, needs_upload=True, actions=[], missing_packages=[])
        files = json.loads(gzip.decompress(Path(options["sources"]).read_bytes()))
        command = Wanted(command.path, archive(files), command.mode)
    before = (
        Path(configuration_path).read_text(encoding="utf-8") if Path(configuration_path).is_file() else ""
    )
    configuration = Wanted(configuration_path, text.encode(), 0o640, 0, account.gid)
    completion = Wanted(options["completion_path"], options["completion"].encode(), 0o644)
    for wanted, reasons in (
        (command, outdated),
        (configuration, differs(configuration)),
        (completion, differs(completion)),
    ):
        if not reasons:
            continue
        actions.append({"path": wanted.path, "action": "install", "reason": ", ".join(reasons)})
        if module.check_mode:
            continue
        try:
            install(wanted)
        except OSError as error:
            module.fail_json(
                msg=f"{wanted.path} cannot be written: {error.strerror}.",
                actions=actions,
                missing_packages=[],
            )
    result: dict[str, Any] = {
        "changed": bool(actions),
        "actions": actions,
        "missing_packages": missing_packages(options["services"]),
    }
    if module._diff and before != text:
        result["diff"] = {
            "before": before,
            "after": text,
            "before_header": configuration_path,
            "after_header": configuration_path,
        }
    module.exit_json(**result)


if __name__ == "__main__":
    main()

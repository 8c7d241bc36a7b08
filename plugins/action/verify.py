# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of the module verify: the host command runs the checks where it is up to date.

That saves the packing, sending and compiling of the module. In every other case the module runs: without the
command or with another version of it, on the controller, with async, with another Python, without pipelining.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._command.archive import INTERPRETER, NAME, SPECIFICATION, identity
from ..module_utils._command.verify import MARK
from ..module_utils._discreet import without
from ..module_utils._verify.options import verify_specification
from ..plugin_utils._command_sources import command_sources

COMMAND = SPECIFICATION["path"]["default"]
# Nobody but root may be able to change what may run as root.
PROGRAM = f"""
import os, stat, sys
found = os.stat({COMMAND!r})
if found.st_uid or found.st_mode & 0o022:
    sys.exit(3)
sys.path.insert(0, {COMMAND!r})
from {NAME}._command.verify import main
sys.exit(main({COMMAND!r}))
"""
_SYSTEM_PYTHON = re.compile(r"auto(_legacy)?(_silent)?|/usr/bin/python3(\.\d+)?")


def wants_invocation(variables: dict[str, Any]) -> bool:
    """Whether a result tells what a module was called with: since ansible-core 2.21 only on request."""
    try:
        return bool(constants.config.get_config_value("INJECT_INVOCATION", variables=variables))
    except AnsibleError:
        return True


class ActionModule(ActionBase):  # type: ignore[misc]
    """Asks the host command, else runs the module."""

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        answer = self._ask_command(variables) if self._can_ask(variables) else None
        if answer is None:
            answer = self._execute_module(
                module_name="openclaw.mission_control.verify",
                task_vars=variables,
                wrap_async=self._task.async_val,
            )
        return {**result, **answer}

    def _can_ask(self, variables: dict[str, Any]) -> bool:
        return bool(
            self._connection.transport != "local"
            and not self._task.async_val
            and not any(self._task.environment or [])
            and self._is_pipelining_enabled("new")
            and _SYSTEM_PYTHON.fullmatch(str(variables.get("ansible_python_interpreter") or "auto"))
        )

    def _ask_command(self, variables: dict[str, Any]) -> dict[str, Any] | None:
        """The command's result, or nothing where it cannot be had."""
        try:
            validation, options = self.validate_argument_spec(argument_spec=verify_specification())
        except AnsibleError:
            # The module says it as modules do.
            return None
        if re.search(r"[~$]", options["ca_path"]):
            # Means something on the host only.
            return None
        asked = {
            "sources_digest": identity(command_sources()),
            "options": options,
            "diff": bool(self._task.diff),
        }
        done = self._low_level_execute_command(
            f"{INTERPRETER} -I -c {shlex.quote(PROGRAM)}", in_data=json.dumps(asked).encode()
        )
        record = (
            done["stdout"].rpartition(f"\n{MARK}")[2] if done["rc"] == 0 and MARK in done["stdout"] else ""
        )
        try:
            answer: dict[str, Any] = json.loads(record)
        except ValueError:
            return None
        if wants_invocation(variables):
            answer["invocation"] = {"module_args": options}
        hidden: dict[str, Any] = without(answer, validation._no_log_values)
        return hidden

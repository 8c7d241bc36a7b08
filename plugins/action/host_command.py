# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of the module host_command: the command's sources are uploaded where they differ."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._application.components import SERVICES
from ..module_utils._command.archive import SPECIFICATION, identity
from ..module_utils._verify import standalone
from ..module_utils._verify.common_options import COMMON
from ..module_utils._verify.options import CHECKS
from ..module_utils._verify.reports.names import FORMATS
from ..plugin_utils._command_sources import command_sources, completion
from ..plugin_utils._upload import upload


def problems(verify: Mapping[str, Any]) -> list[str]:
    """What is wrong with the settings of the checks, before anything is installed."""
    try:
        standalone.chosen(verify)
    except ValueError as error:
        return [f"verify: {error}"]
    found = []
    for where, specification, given in (
        ("options", COMMON, verify.get("options") or {}),
        *(
            (f"check_options.{check}", CHECKS.get(check, {}), options)
            for check, options in (verify.get("check_options") or {}).items()
        ),
    ):
        if where.startswith("check_options.") and not specification:
            found.append(f"verify.{where}: there is no such check")
            continue
        for name in given:
            if name not in specification:
                found.append(f"verify.{where}: there is no option {name!r}")
            elif specification[name].get("no_log"):
                found.append(
                    f"verify.{where}: {name} is a secret; the command reads it from the environment file"
                )
    return found


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs the module once when the host has the sources, else uploads one file and runs it again."""

    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        _validation, arguments = self.validate_argument_spec(argument_spec=SPECIFICATION)
        if arguments["state"] == "absent":
            return {**result, **self._module(arguments, variables)}
        wrong = problems(arguments["verify"])
        if wrong:
            return {**result, "failed": True, "msg": "; ".join(wrong), "actions": [], "missing_packages": []}
        files = command_sources()
        arguments["sources_digest"] = identity(files)
        arguments["completion"] = completion(
            [name for name in SERVICES if name in arguments["services"]],
            standalone.chosen(arguments["verify"]),
            FORMATS,
        )
        try:
            answer = self._module(arguments, variables)
            if answer.pop("needs_upload", False):
                answer = self._module({**arguments, "sources": self._upload(files)}, variables)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return {**result, **answer}

    def _upload(self, files: Mapping[str, str]) -> str:
        with tempfile.TemporaryDirectory(prefix="mission-control-") as directory:
            packed = Path(directory) / "sources.json.gz"
            packed.write_bytes(gzip.compress(json.dumps(files).encode()))
            remote: str = upload(self, packed, packed.name)
        return remote

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name="openclaw.mission_control.host_command", module_args=arguments, task_vars=task_vars
        )
        return answer

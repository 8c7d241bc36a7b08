# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of the module bundle: the parts that a host lacks go there in one file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils import _bundle
from ..module_utils._host.deployment_errors import DeploymentError
from ..plugin_utils._upload import upload


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs the module once to learn what is missing, and, if anything is, uploads that and runs it again."""

    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        try:
            return {**result, **self._have(arguments, task_vars or {})}
        except DeploymentError as error:
            return {**result, "failed": True, **error.result()}
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _have(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("state", "present") != "present" or not arguments.get("path"):
            return self._module(arguments, task_vars)
        _validated, checked = self.validate_argument_spec(
            argument_spec={
                "state": {"type": "str"},
                "path": {"type": "path"},
                "directory": {"type": "path"},
                "components": {
                    "type": "list",
                    "elements": "str",
                    "default": ["postgresql", "redis", "backend", "worker", "frontend"],
                },
            },
        )
        bundle = Path(checked["path"]).expanduser()
        manifest = _bundle.read_manifest(bundle)
        wanted = _bundle.wanted_parts(manifest, checked["components"])
        arguments.update(path=str(bundle), parts=wanted)
        answer = self._module(arguments, task_vars)
        if answer.get("failed") or not answer.get("missing") or self._task.check_mode:
            return answer
        with tempfile.TemporaryDirectory(prefix="mission-control-") as directory:
            archive = bundle
            if set(answer["missing"]) != set(wanted) or len(wanted) < len(manifest["parts"]):
                archive = Path(directory) / "parts.tar"
                _bundle.select(bundle, answer["missing"], archive)
            return self._upload(archive, arguments, task_vars)

    def _upload(self, archive: Path, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        remote = upload(self, archive, "bundle.tar")
        answer = self._module({**arguments, "archive": remote}, task_vars)
        answer["uploaded_bytes"] = archive.stat().st_size
        return answer

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name="openclaw.mission_control.bundle", module_args=arguments, task_vars=task_vars
        )
        answer.setdefault("uploaded_bytes", 0)
        return answer

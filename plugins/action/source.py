# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of the module source: local trees are named by content, uploaded when missing."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils import _bundle
from ..module_utils._host import trees
from ..module_utils._host.deployment_errors import DeploymentError
from ..module_utils._release import source as _source
from ..plugin_utils._upload import upload


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs the module once when the host has the source, else uploads one file and runs it again."""

    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        try:
            return {**result, **self._bring(arguments, task_vars or {})}
        except DeploymentError as error:
            return {**result, "failed": True, **error.result()}
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _bring(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("bundle"):
            return self._module(_out_of_bundle(arguments), task_vars)
        source, kind = _source.on_controller(
            str(arguments.get("source") or ""), str(arguments.get("checksum") or "")
        )
        arguments.update(source=source, kind=kind)
        if kind in ("git", "url"):
            return self._module(arguments, task_vars)
        revision, described = _source.controller_revision(source, kind)
        if kind == "directory":
            described = _working_copy(Path(source)) or described
        arguments.update(revision=revision, described=described)
        answer = self._module(arguments, task_vars)
        if answer.get("failed") or not answer.get("needs_upload") or self._task.check_mode:
            return answer
        with tempfile.TemporaryDirectory(prefix="mission-control-") as directory:
            archive = Path(source)
            if kind == "directory":
                archive = Path(directory) / "source.tar.gz"
                trees.pack(Path(source), archive)
            return self._upload(archive, arguments, task_vars)

    def _upload(self, archive: Path, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        # The suffix tells the module how to unpack it.
        suffix = next(end for end in trees.SUFFIXES if archive.name.lower().endswith(end))
        remote = upload(self, archive, f"source{suffix}")
        answer = self._module({**arguments, "archive": remote}, task_vars)
        answer.setdefault("uploaded_bytes", archive.stat().st_size)
        return answer

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name="openclaw.mission_control.source", module_args=arguments, task_vars=task_vars
        )
        return answer


def _out_of_bundle(arguments: dict[str, Any]) -> dict[str, Any]:
    """What the bundle says of its source, which lies on the host already."""
    bundle = Path(str(arguments["bundle"])).expanduser()
    record = _bundle.read_manifest(bundle).get("source")
    if not record:
        raise DeploymentError(
            f"{_bundle.VARIABLE}: {bundle} holds no source.", kind="bad_bundle", remedy=_bundle.REMAKE
        )
    directory = Path(str(arguments.get("bundle_directory") or "/var/lib/mission-control-bundle"))
    return {
        **arguments,
        "source": record["origin"],
        "kind": record["kind"],
        "revision": record["revision"],
        "described": record["described"],
        "tree": record["tree"],
        "archive": str(directory / "parts" / _bundle.part_name("source", record["revision"][:12])),
    }


def _working_copy(path: Path) -> str:
    """What Git calls the state of a working copy; nothing where Git knows none."""
    try:
        done = subprocess.run(
            ["git", "-C", str(path), "describe", "--always", "--dirty", "--tags", "--abbrev=12"],
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of the module bundle_build: brings the finished bundle here."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._host import files
from ..module_utils._terminal import clean

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\.tar", re.ASCII)


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs the module, then fetches what it made unless the same bundle is here already."""

    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.check_mode:
            return {**result, "skipped": True, "msg": "A bundle is not made in check mode."}
        answer: dict[str, Any] = self._execute_module(
            module_name="openclaw.mission_control.bundle_build",
            module_args=dict(self._task.args),
            task_vars=task_vars or {},
        )
        if answer.get("failed") or "bundle" not in answer:
            return {**result, **answer}
        made = str(answer.pop("bundle"))
        # Where Ansible was called, not beside the playbook.
        target = Path(os.path.expandvars(str(self._task.args.get("path") or "."))).expanduser().absolute()
        if target.is_dir():
            name = made.rsplit("/", 1)[-1]
            if not NAME.fullmatch(name):
                # Chosen by the host, written where Ansible was called: it must not be an ansible.cfg.
                message = f"The host calls its bundle {clean(name)!r}, which is not a valid name of a bundle."
                remedy = "Look at that host; or name the file yourself in path."
                return {**result, **answer, "failed": True, "msg": f"{message} {remedy}"}
            target /= name
        answer["path"] = str(target)
        try:
            if not target.is_file() or files.file_digest(target) != answer["sha256"]:
                self._fetch(made, target, answer["sha256"])
                answer["changed"] = True
            line = f"{answer['sha256']}  {target.name}\n"
            Path(f"{target}.sha256").write_text(line, encoding="utf-8")
        except OSError as error:
            answer.update(failed=True, msg=f"{error.filename or target}: {error.strerror or error}.")
        return {**result, **answer}

    def _fetch(self, made: str, target: Path, digest: str) -> None:
        """As the user that Ansible connects as; the file is open to all, its directory may not be."""
        partial = target.with_name(f".{target.name}.partial")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection.fetch_file(made, str(partial))
            if files.file_digest(partial) != digest:
                raise OSError(f"{made} did not arrive whole")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

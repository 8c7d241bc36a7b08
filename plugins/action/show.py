# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Shows a text on the terminal or writes it into a file of the controller, without a call to the host."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._host import files
from ..module_utils._terminal import clean

display = Display()


def write(path: Path, text: str) -> bool:
    """Replace the file unless it holds the text already. Only its owner may read it from the start."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if path.stat().st_mode & 0o777 == 0o600 and path.read_text(encoding="utf-8") == text:
            return False
    files.write_atomically(path, text, 0o600)
    return True


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action `show`."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        _validation, arguments = self.validate_argument_spec(
            argument_spec={"text": {"type": "str", "required": True}, "path": {"type": "path"}}
        )
        text = arguments["text"]
        result.update(changed=False, lines=len(text.splitlines()))
        if not arguments["path"]:
            # To the screen and to log_path, whatever callback shows results. An empty line sets it apart.
            display.display(f"\n{clean(text).rstrip()}\n")
            return result
        path = Path(arguments["path"]).absolute()
        result["path"] = str(path)
        if not path.parent.is_dir():
            raise AnsibleActionFail(f"path: the directory {path.parent} does not exist")
        if path.is_dir():
            raise AnsibleActionFail(f"path: {path} is a directory")
        if self._task.check_mode:
            display.display(f"\nWould write {result['lines']} lines to {path}\n")
            return result
        try:
            result["changed"] = write(path, text)
        except OSError as error:
            raise AnsibleActionFail(f"path: {path} cannot be written: {error.strerror}") from error
        display.display(f"\n{result['lines']} lines in {path}\n")
        return result

# SPDX-License-Identifier: GPL-3.0-or-later
"""One file from the controller to a host, for the module that an action plugin runs there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible.plugins.action import ActionBase


def upload(action: ActionBase, local: Path, name: str) -> str:
    """Where on the host the file lies now.

    It goes away with the action's temporary directory, which the action removes when it ends.

    :param name: what the file is called there; a module may tell its kind by the suffix.
    """
    shell = action._connection._shell
    if not shell.tmpdir:
        action._make_tmp_path()
    remote = str(shell.join_path(shell.tmpdir, name))
    action._transfer_file(str(local), remote)
    return remote

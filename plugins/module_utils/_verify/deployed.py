# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether there is anything whose settings could be looked at."""

from __future__ import annotations

from .._application.installation import Installation
from .._cures import DELIBERATE
from .._host.user_file_status import is_there
from .context import Context, Problem
from .verdict import FAIL


def _bare(host: Installation) -> bool:
    """Nothing was ever put into service below the root. What may not be looked at counts as something."""
    if host.named_env_file:
        return False
    try:
        return not any(is_there(host.files, host.root / name) for name in ("current", "backend"))
    except OSError:
        return False


def require_deployed(context: Context) -> None:
    """Refuse to look for settings where nothing was ever deployed: that is the cause, and no right."""
    if _bare(context.host):
        raise Problem(
            "not_deployed",
            f"nothing is deployed in {context.host.root}",
            cause="There was no deployment yet, or the first one failed before it had put a release into "
            "service; or root names another directory.",
            remedy="Deploy (playbook deploy). Why a deployment failed is in its last lines and in the "
            "history (playbook history).",
            cure=DELIBERATE,
            state=FAIL,
        )

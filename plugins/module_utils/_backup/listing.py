# SPDX-License-Identifier: GPL-3.0-or-later
"""The restore points as the module backup_info and the host command list them."""

from __future__ import annotations

from typing import Any

from .._host.deployment_errors import DeploymentError
from . import here, points, state


def tell() -> dict[str, Any]:
    """What the module backup_info does."""
    try:
        found, restic = here.open_here()
    except DeploymentError as error:
        if error.kind != "not_set_up":
            raise
        return {"changed": False, "points": [], "repository": "", "leaves_the_host": False, "state": {}}
    return {
        "changed": False,
        "points": [point.told() for point in points.list_points(restic)],
        "repository": restic.shown,
        "leaves_the_host": found.leaves_the_host,
        "state": state.read_state(found.directory),
    }

# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore points and drills as the module backup and the host command ask for them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .._times.record_stamps import utc_stamp
from . import configuration, drill, exporting, here, making, repository
from .restic import Restic


def do(options: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """What the module backup does."""
    found, restic = here.open_here()
    if options["state"] == "opened":
        return {"changed": False} if check else _opened(found, restic)
    if check:
        return {"changed": True}
    if options["state"] == "exported":
        return exporting.export(found, options, utc_stamp(time.time()))
    if options["state"] == "drilled":
        return drill.drill(found, restic, options)
    return making.make(found, restic, purpose=options["purpose"])


def _opened(found: configuration.Configuration, restic: Restic) -> dict[str, Any]:
    with repository.alone(found, "opening the repository"):
        made = repository.open_repository(restic)
    return {"changed": made, "repository_made": made}

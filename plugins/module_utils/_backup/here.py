# SPDX-License-Identifier: GPL-3.0-or-later
"""The backups of this host, by the configuration that the role has written."""

from __future__ import annotations

import os

from .configuration import Configuration, not_permitted, read
from .restic import Restic


def open_here() -> tuple[Configuration, Restic]:
    if os.geteuid() != 0:
        raise not_permitted()
    found = read()
    return found, Restic(found)

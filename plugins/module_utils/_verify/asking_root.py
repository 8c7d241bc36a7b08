# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that ask root for what only root can see: processes, listeners, the journal, a gateway's unit."""

from __future__ import annotations

from .._host import root_side
from .check import Prepared


class AskingRoot(Prepared):
    """A check whose process may ask root; marks its function `run`.

    Without the mark it sees what the application's user may see.
    """

    questions = root_side

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check is to those who run it: a function, and what it wants to have done before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._host.privileges import Answers
from .context import Context, Shared
from .verdict import Verdict

Run = Callable[[Context, Mapping[str, Any]], Verdict]


class Prepared:
    """A check that wants something before it is run. What cannot be had then the check itself says."""

    # What root answers to the process that looks as the application's user; nothing by itself.
    questions: Answers | None = None

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, context: Context, options: Mapping[str, Any]) -> Verdict:
        """Look, and judge."""
        return self._run(context, options)

    def load(self) -> None:
        """Import libraries, while root still is root. Raises MissingLibraryError."""
        if isinstance(self._run, Prepared):
            self._run.load()

    def prepare(self, shared: Shared) -> None:
        """Make what the checks of its kind have in common, before they all want it at the same time."""
        if isinstance(self._run, Prepared):
            self._run.prepare(shared)

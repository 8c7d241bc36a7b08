# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module deployment does: enter a run, record how it ended, list the history.

Who deploys, and which revisions were, stands in files of root's; what lies below the application's root is
touched as its user only.
`parameters` are the module's options.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .._application.layout import Layout
from .._host import files, privileges, reading
from .._host.accounts import expand_home, find_account
from .._host.errors import HostError
from .._plain_json import parse_json
from .._redaction import Redactor
from . import git, history, past

# So many revisions are remembered.
REVISIONS = 50
NO_GIT = "none"
# A commit's whole name. What else the user's process told, such as a branch, is another one tomorrow.
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def begin(parameters: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Enter the run, or tell which one is in its way. One that ended without a word is recorded."""
    place = _Place(parameters)
    answer: dict[str, Any] = {"changed": False}
    if check_mode:
        return {**answer, **place.going_on(place.register.look())}
    run = history.Run(
        parameters["run"],
        parameters["action"],
        by=parameters["by"],
        address=history.from_where(),
        source=Redactor().text(git.without_password(parameters["source"])),
        revision=parameters["revision"],
        rotated=tuple(parameters["rotated"]),
        previous=place.as_user(lambda: place.layout.current_release, None),
    )

    def left_over(dead: dict[str, Any]) -> None:
        def write() -> dict[str, Any] | None:
            # Before anything is there, there is no place for a history either.
            if not place.layout.shared.is_dir():
                return None
            line = history.entry(place.layout, dead, "interrupted", {})
            history.record(place.layout, line)
            return line

        line = place.as_user(write, None)
        if line is not None:
            answer["interrupted"] = line

    living = place.register.begin(run, left_over)
    return {**answer, **place.going_on(living)}


def end(parameters: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Record how the run ended, and let the next one begin."""
    if check_mode:
        return {"changed": False}
    place = _Place(parameters)
    record = place.register.entered(parameters["run"])
    if record is None:
        # It was not let in, or lost the host and another has taken its place and recorded it as interrupted.
        return {"changed": False}
    result = parameters["result"]

    def write() -> dict[str, Any]:
        line = history.entry(place.layout, record, result, parameters)
        kept = place.layout.history.exists() or result != "removed"
        if place.layout.shared.is_dir() and kept:
            history.record(place.layout, line)
        return line

    # A user that is not there has left nothing that could be read.
    line = place.as_user(write, None) or history.compose(None, {}, record, result, parameters)
    if result == "deployed" and parameters["revision"]:
        place.remember(parameters["revision"])
    # Only now: what was interrupted before this is recorded by the next run.
    place.register.end(parameters["run"])
    return {"changed": False, "recorded": line}


def listed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The history, and the run that goes on."""
    place = _Place(parameters)
    lines = privileges.as_user(
        parameters["user"], lambda _account: past.history(place.layout, parameters["lines"])
    )
    living = place.register.look() if os.geteuid() == 0 else None
    answer = {"changed": False, "history": lines, **place.going_on(living)}
    return {**answer, "revisions": place.revisions()} if os.geteuid() == 0 else answer


class _Place:
    """The two places of a deployment: root's register, the user's files."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.user = parameters["user"]
        self.register = history.Register(history.place(self.user))
        self.remembered = history.DIRECTORY / f"revisions-{self.user}.json"
        self.layout = Layout(Path(self._root(parameters["root"])))

    def _root(self, root: str) -> str:
        try:
            account = find_account(self.user)
        except HostError:
            # It will be created: nothing of the user's is there yet.
            return f"/home/{self.user}{root[1:]}" if root.startswith("~") else root
        return expand_home(root, account)

    def as_user(self, work: Callable[[], Any], otherwise: Any) -> Any:
        """What the user finds, or `otherwise` where there is no such user."""
        try:
            return privileges.as_user(self.user, lambda _account: work())
        except HostError as error:
            if error.kind != "no_such_user":
                raise
            return otherwise

    def revisions(self) -> list[str]:
        """The revisions that were deployed, the last one at the end. Root's own word, unlike a release's."""
        try:
            found = [str(item) for item in parse_json(reading.read_regular(self.remembered))]
        except FileNotFoundError:
            return []
        return [item for item in found if _COMMIT.fullmatch(item)]

    def remember(self, revision: str) -> None:
        """Keep a revision as the last one that was deployed. NO_GIT ends what was deployed from Git."""
        if revision != NO_GIT and not _COMMIT.fullmatch(revision):
            return
        others = [item for item in self.revisions() if item != revision]
        text = json.dumps([] if revision == NO_GIT else [*others, revision][-REVISIONS:])
        files.write_atomically(self.remembered, f"{text}\n", 0o600)

    def going_on(self, record: Mapping[str, Any] | None) -> dict[str, Any]:
        """The run that goes on, and the same in one sentence."""
        if record is None:
            return {}
        doing = self.as_user(lambda: history.step(self.layout), "")
        return {"running": record, "holder": history.describe(record, doing)}

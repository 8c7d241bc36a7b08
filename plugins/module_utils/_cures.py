# SPDX-License-Identifier: GPL-3.0-or-later
"""How findings are cured: by what kind of step, and what `repair` does about it by itself where that is safe.

A cure stands beside the remedy in words, where the finding is made. `repair` knows how an action is done,
and none of the findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

PERSON = "person"  # has to decide something, or to know what nobody here can
DEPLOY = "deploy"  # deploying the same once more
RESTART = "restart"  # of a service
COMMAND = "command"  # one, on the host
WAIT = "wait"  # it comes by itself


class Cure(NamedTuple):
    """A step that cures a finding. Without an action it is left to people."""

    by: str = PERSON
    action: str = ""
    target: str = ""  # what it is done to: a unit, processes, a server and its address

    def filled(self, words: Mapping[str, object]) -> Cure:
        """With the braces of its target filled in."""
        return self._replace(target=self.target.format(**words)) if "{" in self.target else self


DECISION = Cure()
# That is told, and not done by itself: deploying changes data where schema or database are not the code's,
# and does nothing for a proxy that is the operator's own.
DELIBERATE = Cure(DEPLOY)
# A restart that may interrupt work.
CONSIDERED = Cure(RESTART)
# A command about what is the host's, and not ours to change by itself.
TYPED = Cure(COMMAND)
DEPLOYMENT = Cure(DEPLOY, "deploy")
WAITING = Cure(WAIT, "wait")
LINGER = Cure(COMMAND, "linger")
START_MANAGER = Cure(COMMAND, "start_manager")
CONTINUE_MANAGER = Cure(COMMAND, "continue_manager")
CLOSE_SETTINGS = Cure(COMMAND, "close_settings")
MAKE_ROOM = Cure(COMMAND, "make_room")
UNLOCK_BACKUPS = Cure(COMMAND, "unlock_backups")
START_POSTGRESQL = Cure(COMMAND, "start_postgresql", "{host}")
START_REDIS = Cure(COMMAND, "start_redis", "{host}")


def restart(unit: str) -> Cure:
    """Of a unit of the application's user, or of the gateway's."""
    return Cure(RESTART, "restart", unit)


def start(unit: str) -> Cure:
    """Of a unit, with the socket that starts it."""
    return Cure(RESTART, "start", unit)


def enable(unit: str) -> Cure:
    """Have it started at the next boot."""
    return Cure(COMMAND, "enable", unit)


def unmask(unit: str) -> Cure:
    """Let it be started again."""
    return Cure(COMMAND, "unmask", unit)


def reload(unit: str) -> Cure:
    """Have systemd read its file."""
    return Cure(COMMAND, "reload", unit)


def let_go(pid: int) -> Cure:
    """Have a process go on that a signal has stopped."""
    return Cure(COMMAND, "let_go", str(pid))


def end(pids: Iterable[int]) -> Cure:
    """End processes that no unit has started."""
    return Cure(COMMAND, "end", " ".join(map(str, pids)))

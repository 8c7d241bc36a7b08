# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs checks side by side, each retried alone, all within one deadline."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._application.installation import Installation
from .._host.accounts import Account, find_account
from .._host.errors import HostError
from .._host.libraries import MissingLibraryError
from .._host.memory_bound import in_memory
from .._host.privileges import as_user
from .._redaction import Redactor
from .attempts import attempt_until_done
from .check import Prepared, Run
from .context import Shared
from .explanation import Row
from .report import report_of
from .verdict import ERROR, Verdict
from .waiting import Clock

# Seconds beyond its own deadline after which a run counts as hanging.
HANGS = 15.0

# How one check is tried: name, function, what is shared, options, and the time that no request may pass.
Attempt = Callable[[str, Run, Shared, Mapping[str, Any], float], Verdict]


def shared_for(
    options: Mapping[str, Any], *, clock: Clock | None = None, limit: float | None = None, where: str = ""
) -> Shared:
    """What the checks share, from the common options."""
    redactor = Redactor([options["token"], *options["secrets"]])
    where = where or socket.gethostname()
    host = Installation(
        user=options["user"],
        root=options["root"],
        env_file=options["env_file"],
        redactor=redactor,
        where=where,
    )
    token = options["token"] or host.environment.get("LOCAL_AUTH_TOKEN", "")
    return Shared(options, redactor, host, clock or Clock(), where, token=token, limit=limit)


@dataclass(kw_only=True)
class Runner:
    """Some checks, and how they are run."""

    runs: Mapping[str, Run]
    options: Mapping[str, Any]
    # Of the table of causes what may explain these checks' findings.
    rows: Sequence[Row]
    deadline: float = 120.0
    view: str = "host"
    clock: Clock = field(default_factory=Clock)
    where: str = ""
    check_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attempt: Attempt = attempt_until_done
    # What is to be said of findings that only all of them together tell.
    finish: Callable[[Sequence[Verdict]], None] | None = None

    def run(self) -> dict[str, Any]:
        """All checks at once. Returns the report as plain data, without secrets.

        For root a process that has become the application's user does the looking: files, addresses and
        answers are that user's. Root answers what is only his to see to checks that are marked AskingRoot.
        """
        try:
            account = find_account(self.options["user"] or None)
        except HostError:
            # The checks say it; nothing of a user's is looked at where there is none.
            return self._look()
        if os.geteuid() != 0 or account.uid == 0:
            return self._look()
        begun = self.clock.now()
        for run in self._prepared:
            # An interpreter of root's own may lie where the user finds no library.
            with contextlib.suppress(MissingLibraryError):
                run.load()
        try:
            found = as_user(
                account.name,
                in_memory(self._look),
                deadline=self.deadline + HANGS,
                questions=next((run.questions for run in self._prepared if run.questions), None),
            )
        except HostError as error:
            found = self._in_vain(error, begun)
        return dict(found)

    @property
    def _prepared(self) -> list[Prepared]:
        return [run for run in self.runs.values() if isinstance(run, Prepared)]

    def _in_vain(self, error: HostError, begun: float) -> dict[str, Any]:
        verdicts = [
            Verdict(
                name,
                ERROR,
                error.message,
                cause="The process that looks as the application's user came to no end.",
                remedy=error.remedy or "Run the checks again; else look for what ends or stops it.",
                kind=error.kind,
            )
            for name in self.runs
        ]
        return report_of(
            verdicts,
            Redactor([self.options["token"], *self.options["secrets"]]),
            rows=self.rows,
            begun=begun,
            duration_ms=0.0,
            view=self.view,
            where=self.where or socket.gethostname(),
        )

    def _look(self, _account: Account | None = None) -> dict[str, Any]:
        begun, started = self.clock.now(), self.clock.monotonic()
        limit = started + self.deadline
        shared = shared_for(self.options, clock=self.clock, limit=limit, where=self.where)
        for run in self._prepared:
            # Once here instead of by all threads at the same time.
            with contextlib.suppress(MissingLibraryError):
                run.prepare(shared)
        verdicts = self._side_by_side(shared, limit)
        if self.finish:
            self.finish(verdicts)
        return report_of(
            verdicts,
            shared.redactor,
            rows=self.rows,
            begun=begun,
            duration_ms=(self.clock.monotonic() - started) * 1000,
            view=self.view,
            where=shared.where,
            requests=shared.transport.requests_sent if shared.transport else 0,
        )

    def _side_by_side(self, shared: Shared, limit: float) -> list[Verdict]:
        """The verdict of each check; one that does not come within the deadline says so."""
        results: dict[str, Verdict] = {}
        finished = threading.Condition()

        def work(name: str, run: Run) -> None:
            given = dict(self.check_options.get(name) or {})
            verdict = self.attempt(name, run, shared, given, limit)
            with finished:
                results[name] = verdict
                finished.notify_all()

        for name, run in self.runs.items():
            threading.Thread(target=work, args=(name, run), daemon=True, name=name).start()
        with finished:
            left = max(0.0, limit - time.monotonic()) + 0.5
            finished.wait_for(lambda: len(results) == len(self.runs), timeout=left)
            ended = dict(results)
        return [ended.get(name) or self._overdue(name) for name in self.runs]

    def _overdue(self, name: str) -> Verdict:
        return Verdict(
            name,
            ERROR,
            f"no verdict within the suite's {self.deadline:g} s",
            cause="What the check asks hangs: a name server, a file system or a process that does not "
            "answer.",
            remedy="Look at the checks that did answer; raise suite_deadline if the host is just slow.",
            kind="suite_deadline",
            duration_ms=self.deadline * 1000,
        )

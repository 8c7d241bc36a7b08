# SPDX-License-Identifier: GPL-3.0-or-later
"""What checks share: the host, the clock, things found out once, and the way to run parts side by side.

What those that ask over HTTP have besides is in http_context.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from .._application.installation import Installation
from .._application.notice import END, Notice
from .._cures import DECISION, Cure
from .._host.errors import HostError
from .._host.libraries import MissingLibraryError
from .._redaction import Redactor
from .verdict import ERROR, FAIL, FLAKY, SKIP, Verdict, combine, waived_part
from .waiting import Clock

PARALLEL = 16


class Problem(Exception):  # noqa: N818  (a finding on its way up, not a defect)
    """An expectation that was not met, or what kept a check from looking."""

    def __init__(
        self,
        kind: str,
        summary: str,
        *,
        cause: str = "",
        remedy: str = "",
        cure: Cure = DECISION,
        evidence: dict[str, Any] | None = None,
        state: str = FAIL,
    ) -> None:
        super().__init__(summary)
        self.kind, self.summary, self.cause, self.remedy = kind, summary, cause, remedy
        self.cure = cure
        self.evidence = evidence or {}
        self.state = state

    def verdict(self, name: str) -> Verdict:
        """As a verdict."""
        return Verdict(
            name,
            self.state,
            self.summary,
            cause=self.cause,
            remedy=self.remedy,
            kind=self.kind,
            cure=self.cure,
            evidence=self.evidence,
        )


def maintenance_problem(notice: Notice, evidence: dict[str, Any] | None = None) -> Problem:
    """Users see the maintenance page, on purpose: the one reason for everything else."""
    return Problem(
        "maintenance",
        notice.sentence,
        cause="Maintenance was begun on purpose: users see its page, and the worker stands still.",
        remedy=f"Wait until whoever began it has ended it, or end it: {END}",
        evidence=evidence,
    )


class Transport(Protocol):
    """What the checks of a run ask over, as far as it is the run's business."""

    requests_sent: int

    def forget(self) -> None:
        """Believe nothing that a failed attempt found."""


@dataclass
class Shared:
    """What the checks of one run have in common."""

    options: Mapping[str, Any]
    redactor: Redactor
    host: Installation
    clock: Clock = field(default_factory=Clock)
    where: str = "this host"
    token: str = field(default="", repr=False)
    # Monotonic time that no request may pass.
    limit: float | None = None
    # Made by the first check that asks.
    transport: Transport | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    locks: dict[str, threading.Lock] = field(default_factory=dict)
    # How often a fact was looked up, and why in vain.
    looked: dict[str, int] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)

    def forget(self) -> None:
        """Look everything up anew: the next attempt must not believe what a failed one found."""
        with self.lock:
            self.facts.clear()
        if self.transport is not None:
            self.transport.forget()
        self.host.forget()


class Context:
    """One check's view of a run."""

    def __init__(self, shared: Shared, name: str = "", waived: Collection[str] = ()) -> None:
        self.shared = shared
        self.host = shared.host
        self.waived = waived
        self.name = name
        self.redactor = shared.redactor
        self.clock = shared.clock
        self.where = shared.where
        self.common = shared.options
        # Parts that passed in an earlier attempt: only what failed is tried again.
        self.kept: dict[str, Verdict] = {}
        self.failed_before: dict[str, Verdict] = {}

    # -- facts found out once for all checks -------------------------------------------------------

    def once(self, key: str, find: Callable[[], Any]) -> Any:
        """The fact of that name; of several checks that want it at the same time one looks it up."""
        shared = self.shared
        with shared.lock:
            lock = shared.locks.setdefault(key, threading.Lock())
            before = shared.looked.get(key, 0)
        with lock:
            if key in shared.facts:
                return shared.facts[key]
            # Who waited while another one looked in vain need not look again.
            if shared.looked.get(key, 0) > before and key in shared.problems:
                raise shared.problems[key]
            try:
                found = shared.facts[key] = find()
            except Problem as problem:
                shared.problems[key] = problem
                raise
            finally:
                shared.looked[key] = shared.looked.get(key, 0) + 1
            return found

    # -- parts --------------------------------------------------------------------------------------

    def guard(self, name: str, work: Callable[[], Verdict]) -> Verdict:
        """The verdict of some work, whatever it throws."""
        started = self.clock.monotonic()
        try:
            verdict = work()
        except Problem as problem:
            verdict = problem.verdict(name)
        except HostError as error:
            verdict = Verdict(
                name,
                ERROR,
                str(error),
                cause=str(error),
                remedy=error.remedy,
                kind=error.kind,
            )
        except MissingLibraryError as error:
            verdict = Verdict(
                name,
                ERROR,
                str(error),
                cause=f"{self.where} has no Python library `{error.library}` for the interpreter in use.",
                # A virtual environment does not see the distribution's packages.
                remedy=f"Install it on {self.where}: {sys.executable} -m pip install {error.library}"
                if sys.prefix != sys.base_prefix
                else f"Install the package on {self.where}: apt-get install {error.package}. "
                "The role common installs it on application hosts.",
                kind="missing_library",
            )
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
            verdict = Verdict(
                name,
                ERROR,
                f"the check itself failed: {type(error).__name__}: {self.redactor.text(str(error))[:300]}",
                cause="The check met something it was not made for.",
                remedy="Please report this with the evidence.",
                kind="internal",
                evidence={"exception": type(error).__name__, "at": place},
            )
        verdict.duration_ms = verdict.duration_ms or (self.clock.monotonic() - started) * 1000
        return verdict

    def parts(self, works: Iterable[tuple[str, Callable[[], Verdict]]]) -> list[Verdict]:
        """The verdicts of some works, done side by side. What passed in an earlier attempt is kept."""
        listed = [
            (name, work) if name not in self.waived else (name, partial(waived_part, name))
            for name, work in works
        ]
        todo = [(name, work) for name, work in listed if name not in self.kept]
        done = dict(
            zip(
                (name for name, _work in todo),
                self.parallel([partial(self.guard, name, work) for name, work in todo]),
                strict=True,
            )
        )
        result = []
        for name, _work in listed:
            verdict = done.get(name) or self.kept[name]
            if name in done:
                before = self.failed_before.get(name)
                if before is not None:
                    verdict.attempts = before.attempts + 1
                if verdict.healthy:
                    if before is not None and verdict.state not in (SKIP, FLAKY):
                        verdict.state = FLAKY
                        verdict.evidence = {**verdict.evidence, "before": before.summary}
                        verdict.summary += f" (at attempt {verdict.attempts}; before: {before.summary})"
                    self.kept[name] = verdict
                else:
                    self.failed_before[name] = verdict
            result.append(verdict)
        return result

    def each(
        self, name: str, works: Iterable[tuple[str, Callable[[], Verdict]]], summary: str = ""
    ) -> Verdict:
        """One verdict over parts that are done side by side."""
        return combine(name, self.parts(works), summary)

    def parallel(self, works: Sequence[Callable[[], Any]], limit: int = PARALLEL) -> list[Any]:
        """The results of some works in their order; an exception of one is raised after all have ended."""
        if len(works) <= 1:
            return [work() for work in works]
        results: list[Any] = [None] * len(works)
        errors: list[BaseException] = []
        numbers = iter(range(len(works)))
        lock = threading.Lock()

        def take() -> None:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                try:
                    results[number] = works[number]()
                except BaseException as error:
                    errors.append(error)

        # Daemons: a thread that hangs in a system call must not keep the process from ending.
        threads = [
            threading.Thread(target=take, daemon=True, name=f"{self.name}-{number}")
            for number in range(min(limit, len(works)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return results

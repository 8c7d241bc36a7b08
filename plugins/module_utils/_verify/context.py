# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What checks share: the client, the clock, things found out once, and the way to run parts side by side."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .._application import maintenance
from .._application.target import Host
from .._host.errors import HostError
from .._http import REASONS, Answer, Client, MissingLibraryError
from .._redaction import Redactor
from .verdict import ERROR, FAIL, FLAKY, SKIP, Verdict, combine, waived_part
from .waiting import Clock

PARALLEL = 16
MAX_ITEMS = 1_000_000


class Problem(Exception):  # noqa: N818  (a finding on its way up, not a defect)
    """An expectation that was not met, or what kept a check from looking."""

    def __init__(
        self,
        kind: str,
        summary: str,
        *,
        cause: str = "",
        remedy: str = "",
        evidence: dict[str, Any] | None = None,
        state: str = FAIL,
    ) -> None:
        super().__init__(summary)
        self.kind, self.summary, self.cause, self.remedy = kind, summary, cause, remedy
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
            evidence=self.evidence,
        )


def describe(answer: Answer, redactor: Redactor, *, where: str, variable: str, unit: str) -> Problem:
    """Why an answer is of no use, in the operator's terms."""
    place = answer.where()
    words = {
        **place,
        "where": where,
        "variable": variable,
        "unit": unit,
        "maybe_tls": " (perhaps TLS is off there)" if place["scheme"] == "https" else "",
    }
    evidence = answer.evidence(redactor)
    if answer.failure:
        cause, remedy = REASONS[answer.failure.kind]
        message = redactor.text(answer.failure.message)
        summary = f"{place['host']}:{place['port']}: {message}"
        return Problem(
            answer.failure.kind,
            summary,
            cause=cause.format(**words),
            remedy=remedy.format(**words),
            evidence=evidence,
        )
    request = redactor.text(f"{answer.method} {answer.url.split('?')[0]}")
    summary = f"{request} answered {answer.status}"
    if notice := maintenance.notice_of(answer.header(maintenance.HEADER)):
        return maintenance_problem(notice, evidence)
    if answer.status == 401:
        return Problem(
            "unauthorized",
            f"{summary}: the token was not accepted",
            cause="The token given to the check is not the backend's LOCAL_AUTH_TOKEN.",
            remedy="Set mission_control_token to the value of LOCAL_AUTH_TOKEN in the backend's .env, "
            "or deploy again so that both are the same.",
            evidence=evidence,
        )
    if answer.status == 403:
        return Problem(
            "forbidden",
            f"{summary}: the token is known but may not do this",
            cause="The user of the token lacks the right, or what was asked for belongs to another "
            "organization.",
            remedy="Give the user the role owner or admin, and check that the board or group named exists.",
            evidence=evidence,
        )
    if answer.status == 429:
        wait = answer.header("retry-after")
        return Problem(
            "rate_limited",
            f"{summary}: too many requests" + (f", to be tried again in {wait} s" if wait else ""),
            cause="The backend or a proxy limits the rate of requests from this address.",
            remedy="Wait as long as Retry-After says, check less often, or raise the limit; behind a proxy "
            "set TRUSTED_PROXIES so that clients are told apart.",
            evidence=evidence,
        )
    if answer.status >= 500:
        return Problem(
            "server_error",
            f"{summary}: the server failed",
            cause="The backend failed on this request; most often its database is down or not migrated."
            if answer.status == 500
            else "A proxy got no usable answer from the service behind it.",
            remedy=f"Look at the journal of the service: {unit}.",
            evidence=evidence,
        )
    if 300 <= answer.status < 400:
        return Problem(
            "redirected",
            f"{summary}: redirected to {redactor.text(answer.header('location')) or 'nowhere'}",
            cause=f"A proxy redirects what {variable} names, or the scheme is wrong.",
            remedy=f"Name the final address in {variable}.",
            evidence=evidence,
        )
    if answer.status == 404:
        return Problem(
            "not_found",
            f"{summary}: not served there",
            cause="What answers there is no Mission Control backend, or one of another version.",
            remedy=f"Check that {variable} names the backend itself, and which version is deployed.",
            evidence=evidence,
        )
    return Problem(
        "unexpected_status",
        summary,
        cause="The check does not know this answer.",
        remedy=f"Look at the answer in the evidence and at the journal of the service: {unit}.",
        evidence=evidence,
    )


def maintenance_problem(notice: maintenance.Notice, evidence: dict[str, Any] | None = None) -> Problem:
    """Users see the maintenance page, on purpose: the one reason for everything else."""
    return Problem(
        "maintenance",
        notice.sentence,
        cause="Maintenance was begun on purpose: users see its page, and the worker stands still.",
        remedy=f"Wait until whoever began it has ended it, or end it: {maintenance.END}",
        evidence=evidence,
    )


@dataclass
class Shared:
    """What the checks of one run have in common."""

    options: Mapping[str, Any]
    client: Client
    redactor: Redactor
    host: Host
    clock: Clock = field(default_factory=Clock)
    where: str = "this host"
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
        self.client.forget()
        self.host.forget()


class Context:
    """One check's view of a run."""

    def __init__(self, shared: Shared, name: str = "", waived: Collection[str] = ()) -> None:
        self.shared = shared
        self.host = shared.host
        self.waived = waived
        self.name = name
        self.client = shared.client
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

    def require_deployed(self) -> None:
        """Refuse to look for settings where nothing was ever deployed: that is the cause, and no right."""
        if self.host.bare:
            raise Problem(
                "not_deployed",
                f"nothing is deployed in {self.host.root}",
                cause="There was no deployment yet, or the first one failed before it had put a release into "
                "service; or root names another directory.",
                remedy="Deploy (playbook deploy). Why a deployment failed is in its last lines and in the "
                "history (playbook history).",
                state=ERROR,
            )

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

    # -- the API ------------------------------------------------------------------------------------

    def problem(self, answer: Answer, *, variable: str = "", unit: str = "") -> Problem:
        """Why an answer is of no use."""
        return describe(
            answer,
            self.redactor,
            where=self.where,
            variable=variable or "mission_control_api_url",
            unit=unit or "journalctl --user -u mission-control-backend",
        )

    def json(self, answer: Answer) -> Any:
        """The JSON of an answer that must be of the 200 family."""
        if not answer.ok:
            raise self.problem(answer)
        return self.parse(answer)

    def parse(self, answer: Answer) -> Any:
        """The JSON of an answer, whatever its status."""
        try:
            return answer.json()
        except (ValueError, RecursionError):
            pass
        kind = answer.header("content-type").split(";")[0] or "no content type"
        if "json" in kind:
            raise Problem(
                "broken_json",
                f"{answer.method} {self.redactor.text(answer.url)} sent JSON that is cut off or damaged",
                cause="The answer broke off: the backend died while answering, or a proxy cut it.",
                remedy="Look at the journal of the backend and at the limits of any proxy in front of it.",
                evidence=answer.evidence(self.redactor),
            )
        raise Problem(
            "not_json",
            f"{answer.method} {self.redactor.text(answer.url)} sent {kind} instead of JSON",
            cause="Something else answers there: a proxy's own page, the frontend, or another program.",
            remedy="Check that mission_control_api_url names the backend, and that a proxy hands /api on to "
            "it.",
            evidence=answer.evidence(self.redactor),
        )

    def fetch(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The JSON at a path of the API."""
        return self.json(self.client.get(path, parameters=parameters))

    def pages(self, path: str, parameters: Mapping[str, Any] | None = None, limit: int = 200) -> list[Any]:
        """All items of a list, whatever the number of its pages."""
        given = dict(parameters or {})
        first = self.fetch(path, {**given, "limit": limit, "offset": 0})
        if isinstance(first, list):
            return first
        items = _items(first, path)
        total = first.get("total")
        total = total if isinstance(total, int) else len(items)
        step = len(items)
        if total > MAX_ITEMS:
            raise Problem(
                "too_many",
                f"{path} says that it has {total} items",
                cause=f"More than {MAX_ITEMS} items are not read: the figure is hardly true.",
                remedy="Look at the backend's journal and its database.",
                evidence={"total": total},
            )
        if step and total > step:

            def page(offset: int) -> list[Any]:
                return _items(self.fetch(path, {**given, "limit": limit, "offset": offset}), path)

            rest = self.parallel([partial(page, offset) for offset in range(step, total, step)], limit=8)
            for more in rest:
                items.extend(more)
        return items


def _items(page: Any, path: str) -> list[Any]:
    items = page.get("items") if isinstance(page, dict) else None
    if not isinstance(items, list):
        raise Problem(
            "unexpected_shape",
            f"{path} answered without a list of items",
            cause="The backend is of a version whose answers have another shape.",
            remedy="Compare mission_control_revision with the versions that this collection supports.",
            evidence={"keys": sorted(map(str, page))[:20] if isinstance(page, dict) else type(page).__name__},
        )
    return list(items)

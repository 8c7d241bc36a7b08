# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Runs checks side by side, each retried alone, all within one deadline."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from .._application.target import Host
from .._durations import fine_stamp
from .._host.accounts import Account, find_account
from .._host.errors import HostError
from .._host.privileges import as_user
from .._http import Client, MissingLibraryError, load_requests
from .._redaction import Redactor
from .causes import find_causes, root_causes
from .context import Context, Shared
from .verdict import ERROR, FAIL, FLAKY, HEALTHY, PASS, SKIP, STATES, WARN, Verdict, combine, without, worst
from .waiting import Clock, Patience, Waiter

SCHEMA = 1
Run = Callable[[Context, Mapping[str, Any]], Verdict]

NO_HTTP = ("service", "log", "host", "database", "queue")
# Seconds beyond its own deadline after which a suite counts as hanging.
HANGS = 15.0
# What would be the same after any number of attempts.
HOPELESS = frozenset({"missing_library", "bad_option", "no_such_user", "internal", "waiver_expired"})


def patience_of(options: Mapping[str, Any]) -> Patience:
    """How long to try again, from the options."""
    return Patience(
        deadline=float(options["deadline"]),
        interval=float(options["interval"]),
        backoff=float(options["backoff"]),
        interval_max=float(options["interval_max"]),
        jitter=float(options["jitter"]),
        successes=int(options["successes"]),
    )


def shared_for(
    options: Mapping[str, Any], *, clock: Clock | None = None, limit: float | None = None, where: str = ""
) -> Shared:
    """What the checks share, from the common options."""
    redactor = Redactor([options["token"], *options["secrets"]])
    verify: bool | str = (options["ca_path"] or True) if options["validate_certs"] else False
    where = where or socket.gethostname()
    host = Host(
        user=options["user"],
        root=options["root"],
        env_file=options["env_file"],
        redactor=redactor,
        where=where,
    )
    client = Client(
        options["url"],
        token=options["token"] or host.environment.get("LOCAL_AUTH_TOKEN", ""),
        timeout=float(options["timeout"]),
        verify=verify,
        redactor=redactor,
        limit=limit,
    )
    return Shared(options, client, redactor, host, clock or Clock(), where)


def attempt_until_done(
    name: str,
    run: Run,
    shared: Shared,
    options: Mapping[str, Any],
    *,
    limit: float | None = None,
    waived_parts: Collection[str] = (),
) -> Verdict:
    """One check, tried again as long as its patience lasts."""
    context = Context(shared, name, waived_parts)
    waiter = Waiter(patience_of(shared.options), shared.clock, limit)
    started = shared.clock.monotonic()
    failures: list[str] = []
    while True:
        verdict = without(context.guard(name, lambda: run(context, options)), waived_parts)
        good = verdict.state not in (FAIL, ERROR)
        if not good:
            failures.append(verdict.summary)
        if (verdict.kind in HOPELESS and not good) or not waiter.again(good):
            break
        if good:
            context.kept.clear()
        else:
            # The next attempt must not believe what this one found out.
            shared.forget()
    verdict.attempts = max(waiter.attempts, 1)
    verdict.duration_ms = (shared.clock.monotonic() - started) * 1000
    if good and not waiter.stable:
        verdict = Verdict(
            name,
            FAIL,
            f"did not stay healthy: in {waiter.attempts} attempts never {waiter.patience.successes} in a row",
            cause="The service comes and goes.",
            remedy="Look at the journal of the units around the failures; raise `deadline` if that was too "
            "short.",
            kind="unstable",
            evidence={"failures": failures[-5:]},
            checks=verdict.checks,
            attempts=waiter.attempts,
        )
    elif good and failures and verdict.state in (PASS, FLAKY):
        verdict.state = FLAKY
        if "before:" not in verdict.summary:
            verdict.summary = f"{verdict.summary} (at attempt {waiter.attempts}; before: {failures[-1]})"
        verdict.evidence = {**verdict.evidence, "failures": failures[-5:]}
    return verdict


def waived(
    name: str, waivers: Sequence[Mapping[str, Any]], today: date
) -> tuple[list[Verdict], set[str], bool]:
    """Verdicts on the waivers of one check, the parts that are waived, and whether all of it is."""
    verdicts: list[Verdict] = []
    parts: set[str] = set()
    whole = False
    for waiver in waivers:
        path = str(waiver["check"])
        if path.split(".")[0] != name:
            continue
        evidence = {"check": path, "reason": waiver["reason"], "expires": str(waiver["expires"])}
        try:
            expires = date.fromisoformat(str(waiver["expires"]))
        except ValueError:
            verdicts.append(
                Verdict(
                    "waiver",
                    ERROR,
                    f"the waiver of {path} has no date as its expiry: {waiver['expires']!r}",
                    cause="A waiver ends on a day, written YYYY-MM-DD.",
                    remedy="Correct `expires` in verify_waivers.",
                    kind="bad_option",
                    evidence=evidence,
                )
            )
            continue
        if expires < today:
            verdicts.append(
                Verdict(
                    "waiver",
                    FAIL,
                    f"the waiver of {path} expired on {expires}",
                    cause=f"The check was waived until {expires}: {waiver['reason']}",
                    remedy="Cure what was waived and remove the waiver from verify_waivers, or set a new "
                    "date.",
                    kind="waiver_expired",
                    evidence=evidence,
                )
            )
            continue
        verdicts.append(
            Verdict(
                "waiver",
                SKIP,
                f"waived until {expires}: {waiver['reason']}",
                evidence=evidence,
                kind="waived",
            )
        )
        if path == name:
            whole = True
        else:
            parts.add(path)
    return verdicts, parts, whole


def run_suite(
    runs: Mapping[str, Run],
    options: Mapping[str, Any],
    *,
    waivers: Sequence[Mapping[str, Any]] = (),
    suite_deadline: float = 120.0,
    view: str = "host",
    clock: Clock | None = None,
    where: str = "",
    check_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """All checks at once. Returns the report as plain data, without secrets.

    For root a process that has become the application's user does the looking: files, addresses and answers
    are that user's. Root answers it what only root can see (root_side): processes, listeners, the journal.
    """

    def work(_account: Account | None = None) -> dict[str, Any]:
        return _run_suite(
            runs,
            options,
            waivers=waivers,
            suite_deadline=suite_deadline,
            view=view,
            clock=clock or Clock(),
            where=where,
            check_options=check_options or {},
        )

    try:
        account = find_account(options["user"] or None)
    except HostError:
        # The checks say it; nothing of a user's is looked at where there is none.
        return work()
    if os.geteuid() != 0 or account.uid == 0:
        return work()
    begun = (clock or Clock()).now()
    _load_libraries(runs)
    try:
        found = as_user(account.name, work, deadline=suite_deadline + HANGS, questions=True)
    except HostError as error:
        verdicts = [
            Verdict(
                name,
                ERROR,
                error.message,
                cause="The process that looks as the application's user came to no end.",
                remedy=error.remedy or "Run the checks again; else look for what ends or stops it.",
                kind=error.kind,
            )
            for name in runs
        ]
        found = report_of(
            verdicts,
            Redactor([options["token"], *options["secrets"]]),
            begun=begun,
            duration_ms=0.0,
            view=view,
            where=where or socket.gethostname(),
        )
    return dict(found)


def _load_libraries(runs: Mapping[str, Run]) -> None:
    """While root still is root: an interpreter of its own may lie where the user finds no library."""
    if any(name not in NO_HTTP for name in runs):
        with contextlib.suppress(MissingLibraryError):
            load_requests()
    if "database" in runs:
        with contextlib.suppress(ImportError):
            importlib.import_module("psycopg2")


def _run_suite(
    runs: Mapping[str, Run],
    options: Mapping[str, Any],
    *,
    waivers: Sequence[Mapping[str, Any]],
    suite_deadline: float,
    view: str,
    clock: Clock,
    where: str,
    check_options: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    begun, started = clock.now(), clock.monotonic()
    limit = started + suite_deadline
    shared = shared_for(options, clock=clock, limit=limit, where=where)
    today = datetime.fromtimestamp(begun, UTC).date()
    results: dict[str, Verdict] = {}
    threads: dict[str, threading.Thread] = {}
    finished = threading.Condition()

    # Imported once here instead of by all threads at the same time. What is missing each check says itself.
    if any(name not in NO_HTTP for name in runs):
        with contextlib.suppress(MissingLibraryError):
            shared.client.prepare()

    def work(name: str, run: Run) -> None:
        found, parts, whole = waived(name, waivers, today)
        if whole and all(verdict.state == SKIP for verdict in found):
            verdict = Verdict(name, SKIP, found[0].summary, kind="waived", evidence=found[0].evidence)
        else:
            given = dict(check_options.get(name) or {})
            below = {path.removeprefix(f"{name}.") for path in parts}
            verdict = attempt_until_done(name, run, shared, given, limit=limit, waived_parts=below)
            extra = [verdict_ for verdict_ in found if verdict_.state != SKIP]
            if extra:
                verdict = combine(name, [*extra, *(verdict.checks or [verdict])])
        with finished:
            results[name] = verdict
            finished.notify_all()

    for name, run in runs.items():
        threads[name] = threading.Thread(target=work, args=(name, run), daemon=True, name=name)
        threads[name].start()
    with finished:
        finished.wait_for(lambda: len(results) == len(runs), timeout=max(0.0, limit - time.monotonic()) + 0.5)
        ended = dict(results)

    verdicts = [
        ended.get(name)
        or Verdict(
            name,
            ERROR,
            f"no verdict within the suite's {suite_deadline:g} s",
            cause="What the check asks hangs: a name server, a file system or a process that does not "
            "answer.",
            remedy="Look at the checks that did answer; raise suite_deadline if the host is just slow.",
            kind="suite_deadline",
            duration_ms=suite_deadline * 1000,
        )
        for name in runs
    ]
    return report_of(
        verdicts,
        shared.redactor,
        begun=begun,
        duration_ms=(clock.monotonic() - started) * 1000,
        view=view,
        where=shared.where,
        requests=shared.client.requests_sent,
    )


def report_of(
    verdicts: list[Verdict],
    redactor: Redactor,
    *,
    begun: float,
    duration_ms: float,
    view: str,
    where: str,
    requests: int = 0,
) -> dict[str, Any]:
    """The documented result over some verdicts."""
    find_causes(verdicts)
    state = worst(verdict.state for verdict in verdicts)
    counts = {name: sum(verdict.state == name for verdict in verdicts) for name in STATES}
    report = {
        "schema": SCHEMA,
        "state": state,
        "summary": headline(verdicts),
        "counts": {"total": len(verdicts), **counts},
        "verdicts": [verdict.to_dict() for verdict in verdicts],
        "root_causes": root_causes(verdicts),
        "host": where,
        "view": view,
        # Not `started`: with that key in its result, a task in the background (async) never ends.
        "begun": fine_stamp(begun),
        "duration_ms": round(duration_ms, 1),
        "requests": requests,
    }
    return dict(redactor.data(report))


def headline(verdicts: Sequence[Verdict]) -> str:
    """One line: what is wrong, the root causes first."""
    bad = [verdict for verdict in verdicts if verdict.state in (FAIL, ERROR)]
    if bad:
        causes = [verdict for verdict in bad if not verdict.consequence_of] or bad
        rest = len(bad) - len(causes)
        text = "; ".join(f"{verdict.name}: {verdict.summary}" for verdict in causes[:3])
        if len(causes) > 3:
            text += f"; and {len(causes) - 3} more"
        if rest:
            text += f" ({rest} further {'check fails' if rest == 1 else 'checks fail'} in consequence)"
        return text
    warned = [verdict for verdict in verdicts if verdict.state == WARN]
    good = sum(verdict.state in HEALTHY and verdict.state != SKIP for verdict in verdicts)
    skipped = sum(verdict.state == SKIP for verdict in verdicts)
    text = f"{good} of {len(verdicts) - skipped} checks passed"
    if warned:
        text += "; warnings: " + "; ".join(f"{verdict.name}: {verdict.summary}" for verdict in warned[:3])
    if skipped:
        text += f"; {skipped} skipped"
    return text

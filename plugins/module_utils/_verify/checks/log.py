# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of the user units. PRIORITY says nothing there: the level stands in the text, or in JSON."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._application.installation import Installation
from ..._application.layout import Layout
from ..._application.log_format import Assembler, LogRecord, at_least
from ..._host.errors import HostError
from ..._host.journal import JournalEntry, read_journal
from ..._host.journal_from_root import from_root
from ..._host.unit_names import unit_name
from ..._release.past import Span, history, settled_spans
from ..._times.amounts import brief
from ..._times.since import since
from ..asking_root import AskingRoot
from ..context import Context
from ..limits import Limit
from ..log_past import fresh_since, newest_server
from ..units import Units
from ..verdict import FAIL, PASS, SKIP, WARN, Verdict, combine

_SUPPRESSED = re.compile(r"Suppressed (\d+) messages")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Timeout|Warning)\b")
# What differs between repetitions of the same message.
_VARIABLE = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|\d+(?:\.\d+)?", re.IGNORECASE)

# What too many lines of one kind mean. Brace: unit.
_READ = (
    "Read them: journalctl _SYSTEMD_USER_UNIT={unit}.service. "
    "Harmless ones can be left out with verify_log: {{ignore: [...]}}."
)
ERRORS = Limit(
    name="errors",
    option="errors",
    label="{unit} errors",
    kind="log_errors",
    cause="{unit} logged errors; what they say is in the evidence.",
    remedy=_READ,
)
TRACEBACKS = Limit(
    name="tracebacks",
    option="tracebacks",
    label="{unit} tracebacks",
    kind="log_tracebacks",
    cause="{unit} logged tracebacks; what they say is in the evidence.",
    remedy=_READ,
)
RATE = Limit(
    name="rate",
    option="rate",
    label="{unit} lines per minute",
    kind="log_flood",
    cause="The process floods the journal: it repeats the same failure without a pause.",
    remedy="Read it (journalctl -n 50 _SYSTEMD_USER_UNIT={unit}.service), cure what it repeats, restart the "
    "unit.",
)

# So many deployments are asked for when they went on.
DEPLOYMENTS = 20
MOST_TEMPLATES = 500
SAMPLE = 240


def sample_of(record: LogRecord) -> str:
    """What tells one error from another: its first line, and of a traceback the exception."""
    lines = [line for line in record.message.splitlines() if line.strip()] or [""]
    first = lines[0].strip().rstrip(":")[:SAMPLE]
    if len(lines) > 1 and record.traceback:
        # An exception may go on after its name, over several lines.
        last = next((line for line in reversed(lines) if _EXCEPTION.match(line)), lines[-1])
        return f"{first}: {last.strip()[:SAMPLE]}"
    return first


@dataclass
class Tally:
    """Counts of one unit's lines, in bounded memory."""

    lines: int = 0
    recent: int = 0
    errors: int = 0
    warnings: int = 0
    tracebacks: int = 0
    suppressed: int = 0
    deploying: int = 0
    past: int = 0
    first: float | None = None
    last: float | None = None
    templates: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    matched: Counter[str] = field(default_factory=Counter)
    pattern_samples: dict[str, str] = field(default_factory=dict)

    def remember(self, message: str) -> None:
        """Count alike messages together. Rare ones are dropped when there are too many kinds."""
        template = _VARIABLE.sub("#", message[:SAMPLE])
        if template not in self.templates and len(self.templates) >= MOST_TEMPLATES:
            for rare, _count in self.templates.most_common()[: -MOST_TEMPLATES // 2 - 1 : -1]:
                del self.templates[rare]
                self.samples.pop(rare, None)
        self.templates[template] += 1
        self.samples.setdefault(template, message[:SAMPLE])

    def worst_lines(self, most: int) -> list[str]:
        """The most frequent errors with their counts."""
        return [f"{count} x {self.samples[template]}" for template, count in self.templates.most_common(most)]


def tally(
    entries: Iterable[JournalEntry],
    *,
    patterns: Sequence[str] = (),
    ignore: Sequence[str] = (),
    most: int = 1_000_000,
    deployments: Sequence[Span] = (),
    fresh: Mapping[str, float] | None = None,
) -> tuple[dict[str, Tally], bool]:
    """Counts by unit, and whether reading ended early.

    :param fresh: by unit, from when on what is logged says how it is now.
    """
    wanted = [(text, re.compile(text)) for text in patterns]
    unwanted = re.compile("|".join(f"(?:{text})" for text in ignore)) if ignore else None
    found: dict[str, Tally] = {}
    began = fresh or {}
    assembler = Assembler()
    cut = False
    for number, entry in enumerate(entries):
        if number >= most:
            cut = True
            break
        unit = found.setdefault(entry.unit or entry.identifier, Tally())
        unit.lines += 1
        match = _SUPPRESSED.search(entry.message) if "Suppressed" in entry.message else None
        if entry.time >= began.get(unit_name(entry.unit or entry.identifier), 0.0):
            unit.recent += 1
            unit.first = entry.time if unit.first is None else unit.first
            unit.last = entry.time
            unit.suppressed += int(match[1]) if match else 0
        for text, pattern in wanted:
            if pattern.search(entry.message):
                unit.matched[text] += 1
                unit.pattern_samples.setdefault(text, entry.message[:SAMPLE])
        for record in assembler.feed(entry):
            _count(found, record, unwanted, deployments, began)
    for record in assembler.flush():
        _count(found, record, unwanted, deployments, began)
    return found, cut


def _count(
    found: dict[str, Tally],
    record: LogRecord,
    unwanted: re.Pattern[str] | None,
    deployments: Sequence[Span],
    fresh: Mapping[str, float],
) -> None:
    # What the manager says of a unit is the service check's business.
    if record.source == "systemd" or (unwanted is not None and unwanted.search(record.message)):
        return
    unit = found[record.unit or record.identifier]
    severe = record.traceback or at_least(record.level, "error")
    if severe and any(begin <= record.time <= end for begin, end in deployments):
        unit.deploying += 1
        return
    if severe and record.time < fresh.get(unit_name(record.unit or record.identifier), 0.0):
        unit.past += 1
        return
    if record.traceback:
        unit.tracebacks += 1
    if at_least(record.level, "error"):
        unit.errors += 1
        unit.remember(sample_of(record))
    elif record.level == "warning":
        unit.warnings += 1


def judge_unit(name: str, counts: Tally, seconds: float, options: Mapping[str, Any], redact: Any) -> Verdict:
    """Errors, tracebacks, patterns and the rate of lines of one unit."""
    hours = max(seconds / 3600, 1 / 3600)
    evidence: dict[str, Any] = {
        "lines": counts.lines,
        "errors": counts.errors,
        "warnings": counts.warnings,
        "tracebacks": counts.tracebacks,
        "errors_per_hour": round(counts.errors / hours, 1),
        "worst": [redact(line) for line in counts.worst_lines(options["worst_lines"])],
    }
    if counts.deploying:
        evidence["during_deployments"] = counts.deploying
    if counts.past:
        evidence["before_the_last_start"] = counts.past
    if counts.suppressed:
        evidence["suppressed"] = counts.suppressed
    parts = []
    worst_line = evidence["worst"][0] if evidence["worst"] else ""
    for limit, value in ((ERRORS, counts.errors), (TRACEBACKS, counts.tracebacks)):
        part = limit.judged(value, f"{value} {limit.name} in {brief(seconds)}", options, unit=name)
        if part.state != PASS:
            part.summary += f": {worst_line}" if worst_line else ""
            part.evidence = {"worst": evidence["worst"]}
        parts.append(part)
    for text, count in counts.matched.items():
        parts.append(
            Verdict(
                f"pattern {text}",
                FAIL,
                f"{count} lines match {text!r}",
                cause=f"Lines that must not appear did: {redact(counts.pattern_samples[text])}",
                remedy=f"Read them: journalctl _SYSTEMD_USER_UNIT={name}.service; the pattern is in "
                "verify_log: {patterns: [...]}.",
                kind="log_pattern",
                evidence={"sample": redact(counts.pattern_samples[text]), "count": count},
            )
        )
    span = max((counts.last or 0) - (counts.first or 0), 60.0)
    rate = (counts.recent + counts.suppressed) / span * 60
    part = RATE.judged(rate, f"{rate:.0f} lines a minute", options, unit=name)
    if part.state != PASS:
        part.evidence = {"worst": evidence["worst"], "suppressed": counts.suppressed}
    parts.append(part)
    verdict = combine(
        name,
        parts,
        f"{counts.lines} lines, {counts.errors} errors, {counts.warnings} warnings in {brief(seconds)}"
        + (f", {counts.deploying} more errors during deployments" if counts.deploying else "")
        + (f", {counts.past} more errors before it, or what it needs, was started" if counts.past else ""),
    )
    verdict.evidence = evidence
    return verdict


def mistaken_pattern(patterns: Iterable[str]) -> Verdict | None:
    """The first that is no regular expression."""
    for text in patterns:
        try:
            re.compile(text)
        except re.error as error:
            return Verdict(
                "log",
                "error",
                f"{text!r} is not a valid regular expression: {error}",
                cause="An option is wrong.",
                remedy="Correct patterns or ignore in verify_log.",
                kind="bad_option",
            )
    return None


@AskingRoot
def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """One pass over the journal for all units."""
    if wrong := mistaken_pattern((*options["patterns"], *options["ignore"])):
        return wrong
    names = [unit_name(name) for name in options["units"]]
    now = context.clock.now()
    starts: dict[str, float] = {}
    if options["since"] == "start":
        for name, status in Units(context.host).states(names).items():
            if status.exists and status.started and name in names:
                starts[name] = status.started
        begin = min(starts.values(), default=now - 3600)
    else:
        begin = since(options["since"], now)
    account = context.host.account
    entries = read_journal(account, names, since=begin, from_root=from_root(account))
    if starts:
        entries = (
            entry
            for entry in entries
            if entry.time >= starts.get(unit_name(entry.unit or entry.identifier), 0)
        )
    counts, cut = tally(
        entries,
        patterns=options["patterns"],
        ignore=options["ignore"],
        most=options["max_lines"],
        deployments=() if options["deployments"] else deployments_of(context.host, now),
        fresh={} if options["past"] else fresh_of(context, names),
    )
    verdicts = []
    for name in names:
        short = name.removesuffix(".service")
        found = counts.get(name) or counts.get(short) or Tally()
        if name in counts and short in counts and counts[short] is not found:
            found = _merge(found, counts[short])
        seconds = max(now - starts.get(name, begin), 1.0)
        if short in context.waived:
            verdicts.append(Verdict(short, SKIP, "waived", kind="waived"))
        else:
            verdicts.append(judge_unit(short, found, seconds, options, context.redactor.text))
    if cut:
        verdicts.append(
            Verdict(
                "amount",
                WARN,
                f"more than {options['max_lines']} lines: only the oldest were read",
                cause="The journal holds more lines than the check reads.",
                remedy="Ask for a shorter time (since), or raise max_lines.",
                kind="log_amount",
            )
        )
    total = sum(found.lines for found in counts.values())
    return combine("log", verdicts, f"{total} lines of {len(names)} units in {brief(now - begin)}")


def fresh_of(context: Context, names: Sequence[str]) -> dict[str, float]:
    """By unit, from when on what is logged says how it is now; nothing where systemd does not answer."""
    try:
        states = Units(context.host).states(names)
    except HostError:
        return {}
    return fresh_since({name: states[name] for name in names}, newest_server())


def deployments_of(host: Installation, now: float) -> list[Span]:
    """When deployments went on, by the history that the application's user can read."""
    layout = Layout(host.root)
    return settled_spans(host.files.look(lambda: history(layout, DEPLOYMENTS)), now)


def _merge(one: Tally, other: Tally) -> Tally:
    """Both counts: systemd's own lines and those of children carry the unit, or only the identifier."""
    return Tally(
        one.lines + other.lines,
        one.recent + other.recent,
        one.errors + other.errors,
        one.warnings + other.warnings,
        one.tracebacks + other.tracebacks,
        one.suppressed + other.suppressed,
        one.deploying + other.deploying,
        one.past + other.past,
        min((moment for moment in (one.first, other.first) if moment is not None), default=None),
        max((moment for moment in (one.last, other.last) if moment is not None), default=None),
        one.templates + other.templates,
        {**other.samples, **one.samples},
        one.matched + other.matched,
        {**other.pattern_samples, **one.pattern_samples},
    )

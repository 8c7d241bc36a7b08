# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backend fails with it logs: a request that it answers with 500 is told with that."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .._host.symptoms import Symptom, recognize
from .explanation import below
from .explanations.units import BACKEND
from .explanations.words import API
from .verdict import FAIL, WARN, Verdict

_JOURNAL = f"journalctl _SYSTEMD_USER_UNIT={BACKEND}.service"
# How an error of the program's own begins; what it logs of each request says less.
_UNHANDLED = re.compile(r"(?i)unhandled|Traceback|(?:Error|Exception)\b")
# Brace: said, the line of the log.
LOGGED: tuple[Symptom, ...] = (
    Symptom(
        pattern=re.compile(
            r"DataCorrupted|IndexCorrupted|invalid page in block|could not read blocks?"
            r"|unexpected zero page|missing chunk number"
        ),
        kind="server_error",
        cause="A file of the database is damaged, by its disk or by hand: PostgreSQL cannot read what this "
        "request asks for. The backend logged: {said}",
        remedy="Take care of the disk first (dmesg), and keep a copy of PostgreSQL's directory. Then restore "
        "the last restore point (docs/backups.md); where only an index is damaged, write it anew: runuser -u "
        "postgres -- psql -d DATABASE -c 'REINDEX TABLE NAME'.",
    ),
    Symptom(
        pattern=re.compile(r"ValidationError|StatementError|LookupError: .* is not among|JSONDecodeError"),
        kind="server_error",
        cause="A row of the database holds what the backend does not know, as after a change by hand: it can "
        "show none of what this request asks for. The backend logged: {said}",
        remedy=f"See which field it is ({_JOURNAL}), and which row (mission-control db). Correct it: "
        "mission-control db --write; or restore a backup from before the change.",
    ),
    Symptom(
        pattern=re.compile(r"UndefinedColumn|UndefinedTable|UndefinedFunction"),
        kind="server_error",
        cause="Somebody changed the schema by hand: what the migrations made is not there any more. The "
        "backend logged: {said}",
        remedy="Put it back as the migrations made it (mission-control db --write), or restore a backup from "
        "before the change.",
    ),
)


def told(leaf: Verdict) -> str:
    """The line of a log that says most of why a request failed."""
    worst = [str(line).partition(" x ")[2] or str(line) for line in leaf.evidence.get("worst", ())]
    known = [line for line in worst if recognize(line, LOGGED, {"said": ""})]
    return next(iter(known or [line for line in worst if _UNHANDLED.search(line)] or worst), "")


def tell_reasons(verdicts: Sequence[Verdict]) -> None:
    """Say of requests that the backend fails at what it has logged of them."""
    leaves = [pair for verdict in verdicts for pair in verdict.leaves()]
    said = next(
        (
            told(leaf)
            for path, leaf in leaves
            if path == f"log.{BACKEND}.errors" and leaf.state in (WARN, FAIL)
        ),
        "",
    )
    for path, leaf in leaves:
        if not said or leaf.kind != "server_error" or leaf.state != FAIL or not below(path, API):
            continue
        found = recognize(said, LOGGED, {"said": said})
        if found is not None:
            leaf.cause, leaf.remedy, leaf.cure = found.cause, found.remedy, found.cure
        else:
            leaf.cause = f"The backend failed on this request. What it logged last of that kind: {said}"

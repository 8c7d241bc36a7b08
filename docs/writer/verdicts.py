"""docs/verdicts.md: every kind of finding, and the table of causes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanation import (
    Finding,
    Match,
    Row,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS

from .kinds import Kind
from .specimens import explained

HEAD = """<!-- Written by docs/write_docs.py (make docs-files) from the code of the checks and from
plugins/module_utils/_verify/explanations: change it there. -->
# Verdicts: what a word means, and what it explains

Each finding of `verify.yml` has a `kind`: one word for programs, and for this page. `summary`, `cause` and
`remedy` of the finding itself name hosts, ports and units; here braces stand in their place.

What a remedy takes is its `cure`, in reports `{by, action, target}`: a `person` has to decide something; a
`deploy`ment, a `restart` or one `command` does it; or there is nothing to do but `wait`. With `repair` beside
it `mission-control repair`, or `playbooks/repair.yml`, does it by itself (docs/operations.md).

- [What explains what](#what-explains-what): root causes and their consequences
- [All kinds](#all-kinds), by name

Not listed is `waived`: what is accepted as it is (`verify_waivers`).

## What explains what
A finding is a consequence where another finding is reason enough for it; the report names the root cause
and counts its consequences. A warning is no reason for a failure. Where two findings could explain each
other, the one nearer to the machine is the cause: disk, database, Redis, ports, units, API, token, gateway,
sessions, log.

![What explains what](verdicts.svg)

In the picture each line is a row of the table below, from the machine to the logs. The name of a check in a
report leads to its column, and the rings and dots there to the rows that may speak of it.

"""


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _place(match: Match) -> list[str]:
    """Where it is found, shortest."""
    return [f"{path}.*.{match.part}" if match.part and path == "service" else
            f"{path}.{match.part}" if match.part else path for path in match.at]  # fmt: skip


def described(match: Match) -> str:
    """Some findings in words."""
    if match.kinds:
        text = _code(sorted(match.kinds))
    elif match.family:
        text = f"`{match.family}…`"
    else:
        text = "whatever is found"
    if match.at:
        text += f" at {_code(_place(match))}"
    if match.but:
        text += f", but {_code(sorted(match.but))}"
    if match.states:
        text += f" ({' or '.join(sorted(match.states))})"
    if match.unit:
        text += " of any unit" if match.unit == "*" else f" of `{match.unit}`"
    if match.same:
        text += f", of the same {match.same}"
    return text


def _anchor(row: Row) -> str:
    words = "".join(letter for letter in row.name.lower() if letter.isalnum() or letter == " ")
    return f"cause-{words.replace(' ', '-')}"


def _row(row: Row) -> str:
    return (
        f'<a id="{_anchor(row)}"></a>\n**{row.name}**. {row.reason}\n\n'
        f"- when: {'; or '.join(map(described, row.causes))}\n"
        f"- explains: {'; '.join(map(described, row.effects))}\n"
    )


def _links(rows: Sequence[Row]) -> str:
    return ", ".join(f"[{row.name}](#{_anchor(row)})" for row in rows)


def _cell(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}").replace("|", "\\|") or "as the finding itself says"


def _kind(name: str, entries: Sequence[Kind], explains: Sequence[Row], explained: Sequence[Row]) -> str:
    text = f"### `{name}`\n"
    checks = list(dict.fromkeys(check for entry in entries for check in entry.checks))
    text += f"Found by: {', '.join(f'`{check}`' if check in CHECKS else check for check in checks)}.\n\n"
    text += "| cause | remedy | done by |\n| --- | --- | --- |\n"
    rows = dict.fromkeys((_cell(entry.cause), _cell(entry.remedy), entry.by) for entry in entries)
    text += "".join(f"| {cause} | {remedy} | {by} |\n" for cause, remedy, by in rows)
    if explains:
        text += f"\nExplains, as: {_links(explains)}.\n"
    if explained:
        text += f"\nMay be explained by: {_links(explained)}.\n"
    return text


def render(kinds: Sequence[Kind], findings: Sequence[Finding]) -> str:
    """The whole page."""
    text = HEAD + "\n".join(map(_row, ROWS)) + "\n## All kinds\n"
    table = explained(findings)
    sections = []
    for name, entries in groupby(kinds, key=lambda item: item.kind):
        numbers = {finding.number for finding in findings if finding.kind == name}
        causes, effects = ([row for row in ROWS if numbers & table[row.name][side]] for side in (0, 1))
        sections.append(_kind(name, list(entries), causes, effects))
    return text + "\n".join(sections)

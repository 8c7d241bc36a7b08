# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups, drills and restorations in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils._tables import table
from ..module_utils._times.amounts import brief, size
from ..module_utils._times.record_stamps import local_time

HEADERS = ["HOST", "RESTORE POINT", "MADE", "SIZE", "WHAT", "STATE"]
ELSEWHERE = "name another place in mission_control_backup_repository"


def _state(point: Mapping[str, Any], proved: str) -> str:
    if not point["complete"]:
        return "unfinished, cannot be restored"
    purpose = str(point["purpose"]).replace("-", " ")
    return f"{purpose}, proved by a drill" if point["name"] == proved else purpose


def _rows(host: str, result: Mapping[str, Any]) -> list[list[Any]]:
    if result.get("unreachable"):
        return [[host, "", "unreachable", "", "", ""]]
    if result.get("failed"):
        return [[host, "", f"not known: {result.get('msg', '')}", "", "", ""]]
    if not result.get("repository"):
        return [[host, "", "makes no backups", "", "", ""]]
    proved = str(((result.get("state") or {}).get("drill") or {}).get("name", ""))
    rows = [
        [
            host,
            point["name"],
            point["time"],
            size(point["size"]),
            "+".join(point["parts"]),
            _state(point, proved),
        ]
        for point in result["points"]
    ]
    return rows or [[host, "", "none yet", "", "", ""]]


def backups_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """One table over all hosts, and what there is to be said of each."""
    rows = [row for host, result in results.items() for row in _rows(host, result)]
    notes = []
    for host, result in results.items():
        failed = ((result.get("state") or {}).get("attempt") or {}).get("error")
        if failed:
            notes.append(f"{host}: the last backup failed: {failed['msg']}")
        if result.get("repository") and not result.get("leaves_the_host"):
            notes.append(f"{host}: {result['repository']} does not outlive the host: {ELSEWHERE}.")
    text: str = table(HEADERS, rows, limit=60)
    return "\n".join([text, *notes])


def backup_sentence(answer: Mapping[str, Any]) -> str:
    """What a backup or a drill has done."""
    if "point" in answer:
        parts = ", ".join(
            f"{part['part']} {part['how']} in {brief(part['seconds'])}" for part in answer["parts"]
        )
        return f"the restore point {answer['point']['name']} can be restored ({parts})."
    if "name" not in answer:
        return "a restore point would be made."
    warning = f" Warning: {answer['warning']}" if answer.get("warning") else ""
    told = f"{size(answer['size'])} in {brief(answer['seconds'])}"
    return f"made the restore point {answer['name']} ({'+'.join(answer['parts'])}, {told}).{warning}"


def restore_sentence(plan: Mapping[str, Any], host: str, file: str) -> str:
    """What comes back, and what is lost with it."""
    point = plan["point"]
    beginning = f"{host}: the restore point {point['name']} of {point['time']}"
    if file:
        return f"{beginning}: {file} comes back from it; the present one is kept beside it."
    if not plan["parts"]:
        return f"{beginning} has nothing that belongs on this host."
    lines = [f"{beginning}: {', '.join(plan['parts'])} come back as they were (release {plan['release']})."]
    if plan.get("moment"):
        lines.append(
            f"The database comes back as it was at {local_time(plan['moment'])} (write-ahead log); "
            "the rows below are those of the restore point before."
        )
    differing = [row for row in plan["rows"] if row["now"] != row["then"]]
    if differing:
        shown = [
            [row["table"], *("-" if row[side] is None else row[side] for side in ("now", "then"))]
            for row in differing
        ]
        lines += ["Rows that would be gone or come back:", table(["TABLE", "NOW", "THEN"], shown, limit=60)]
    elif plan["rows"]:
        lines.append("Each table has as many rows as then.")
    if plan["migrates"]:
        lines.append("The database is migrated to the schema of the release afterwards.")
    return "\n".join(lines)

# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters that tell of releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._release.records import local_time, state_words
from ..module_utils._tables import table


def _state(release: Mapping[str, Any], fallback: str | None) -> str:
    text: str = state_words(
        release,
        current=bool(release.get("current")),
        running=bool(release.get("running")),
        fallback=release["id"] == fallback,
    )
    return text


def _rows(host: str, result: Mapping[str, Any]) -> list[list[Any]]:
    if result.get("unreachable"):
        return [[host, "", "unreachable", "", "", "", ""]]
    if result.get("failed"):
        return [[host, "", f"not known: {result.get('msg', '')}", "", "", "", ""]]
    rows = [
        [
            host,
            release["id"],
            _state(release, result.get("fallback")),
            local_time(release.get("created")),
            release.get("created_by", ""),
            local_time(release.get("activated")),
            release.get("described") or str(release.get("revision", ""))[:12],
        ]
        for release in reversed(result.get("releases") or [])
    ]
    return rows or [[host, "", "has no release", "", "", "", ""]]


def releases_table(value: Any) -> str:
    """One table over the results of the module release_info, newest release first."""
    if not isinstance(value, Mapping) or not all(isinstance(item, Mapping) for item in value.values()):
        raise AnsibleFilterError("releases_table expects a dictionary of results by the names of their hosts")
    rows = [row for host, result in value.items() for row in _rows(host, result)]
    headers = ["HOST", "RELEASE", "STATE", "MADE", "BY", "SERVED SINCE", "SOURCE"]
    text: str = table(headers, rows, limit=90)
    return text


RESULTS = {
    "deployed": "deployed",
    "unchanged": "nothing to do",
    "rolled_back": "rolled back",
    "rotated": "rotated",
    "restored": "restored from a backup",
    "removed": "removed",
    "failed": "FAILED",
    "returned": "FAILED, the release of before serves again",
    "interrupted": "INTERRUPTED",
}


def _history_rows(host: str, result: Mapping[str, Any]) -> list[list[Any]]:
    if result.get("unreachable"):
        return [[host, "", "unreachable", "", "", "", ""]]
    if result.get("failed"):
        return [[host, "", f"not known: {result.get('msg', '')}", "", "", "", ""]]
    rows = []
    for line in result.get("history") or []:
        reason = ", ".join(line.get("failed_checks") or []) or line.get("reason") or ""
        said = RESULTS.get(str(line.get("result")), str(line.get("result")))
        if line.get("rotated"):
            said += f" ({', '.join(line['rotated'])})"
        by = str(line.get("by", ""))
        rows.append(
            [
                host,
                local_time(line.get("started") or line.get("time")),
                f"{said}: {reason}" if reason else said,
                line.get("release", ""),
                line.get("previous", ""),
                f"{by} from {line['from']}" if line.get("from") else by,
                "" if line.get("seconds") is None else f"{line['seconds']} s",
            ]
        )
    if result.get("holder"):
        rows.append([host, "now", f"running: {result['holder']}", "", "", "", ""])
    return rows or [[host, "", "has no history", "", "", "", ""]]


def history_table(value: Any) -> str:
    """One table over the results of the module deployment_info, each host's last record last."""
    if not isinstance(value, Mapping) or not all(isinstance(item, Mapping) for item in value.values()):
        raise AnsibleFilterError("history_table expects a dictionary of results by the names of their hosts")
    rows = [row for host, result in value.items() for row in _history_rows(host, result)]
    headers = ["HOST", "BEGUN", "RESULT", "RELEASE", "FROM RELEASE", "BY", "TOOK"]
    text: str = table(headers, rows, limit=90)
    return text


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"releases_table": releases_table, "history_table": history_table}

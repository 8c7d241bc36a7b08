# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and lists for a terminal, over the results of many hosts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..module_utils._application.components import SERVICES
from ..module_utils._tables import cell, table
from ..module_utils._terminal import clean
from ..module_utils._times.amounts import brief, size
from ..module_utils._times.record_stamps import local_time


def when(epoch: float | None, now: float | None) -> str:
    """A time in the reader's zone, with its age."""
    if epoch is None:
        return ""
    text = local_time(epoch)
    return f"{text} ({brief(max(0.0, now - epoch))})" if now is not None else text


def status_problem(result: Mapping[str, Any]) -> str:
    """Why the services of a host are not known; empty when they are."""
    if result.get("unreachable"):
        return "unreachable"
    return str(result.get("problem") or (result.get("msg") or "failed" if result.get("failed") else ""))


def status_rows(host: str, result: Mapping[str, Any]) -> list[list[Any]]:
    """The rows of one host: its services, or that they are not known."""
    problem = status_problem(result)
    if problem:
        word = problem if problem == "unreachable" else "not known (see below)"
        return [[host, "", word, "", "", "", "", ""]]
    rows = []
    for state in result.get("services") or []:
        word = state["state"]
        detail = state.get("result") or ""
        if word in ("failed", "restarting") and detail:
            status = state.get("exit_status")
            word += f" ({detail}{f' {status}' if status else ''})"
        if word == "running" and result.get("maintenance") and state["service"] != "gateway":
            word = "in maintenance"
        if word == "stopped" and state.get("socket_active"):
            word += " (starts with the next connection)"
        if not state["enabled"] and word != "not deployed":
            word += ", not enabled"
        release = state.get("release") or ""
        if state.get("stale"):
            release += f" (deployed: {result.get('current')})"
        rows.append(
            [
                host,
                state["service"],
                word,
                when(state.get("since"), result.get("time")) if word != "not deployed" else "",
                state.get("restarts") if word != "not deployed" else "",
                size(state["memory_bytes"]) if state.get("memory_bytes") else "",
                release,
                ", ".join(str(port) for port in state.get("ports") or []),
            ]
        )
    return rows or [[host, "", "has none of them", "", "", "", "", ""]]


def status_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """One table over all hosts."""
    rows = [row for host, result in results.items() for row in status_rows(host, result)]
    headers = ["HOST", "SERVICE", "STATE", "SINCE", "RESTARTS", "MEMORY", "RELEASE", "PORT"]
    notes = [
        f"{host}: {problem}"
        for host, result in results.items()
        if (problem := status_problem(result)) not in ("", "unreachable")
    ]
    notes += [
        f"{host}: {result['maintenance']}" for host, result in results.items() if result.get("maintenance")
    ]
    return "\n".join([table(headers, rows, right=(4, 5), limit=110), *(clean(note) for note in notes)])


def actions_table(results: Mapping[str, Mapping[str, Any]], predicted: bool) -> str:
    """What was done, or would be done, over all hosts in the order of doing it."""
    found = [(action, host) for host, result in results.items() for action in result.get("actions") or []]
    # A service on all hosts, then the next one.
    found.sort(
        key=lambda item: (
            -SERVICES.index(item[0]["service"])
            if item[0]["action"] == "stop"
            else SERVICES.index(item[0]["service"])
        )
    )
    word = "would " if predicted else ""
    rows = [[host, action["service"], word + action["action"], action["reason"]] for action, host in found]
    if not rows:
        return "Nothing to do: the services are as they should be."
    return table(["HOST", "SERVICE", "ACTION", "BECAUSE"], rows, limit=110)


def merge_logs(results: Mapping[str, Mapping[str, Any]], lines: int) -> list[dict[str, Any]]:
    """The last records of all hosts in the order of time, each with the name of its host."""
    merged = [
        {"host": host, **entry} for host, result in results.items() for entry in result.get("entries") or []
    ]
    merged.sort(key=lambda entry: entry["epoch"])
    return merged[-lines:]


def log_list(entries: Sequence[Mapping[str, Any]]) -> str:
    """Records for people; further lines of a record are indented below it."""
    hosts = max((len(str(entry["host"])) for entry in entries), default=0)
    services = max((len(str(entry["service"])) for entry in entries), default=0)
    lines = []
    for entry in entries:
        stamp = local_time(float(entry["epoch"]), fine=True)
        place = f"{entry['host']:<{hosts}}  {entry['service']:<{services}}"
        head = f"{stamp}  {place}  {entry['level'].upper():<8}  "
        first, *rest = str(entry["message"]).split("\n")
        record = [f"{entry['logger']}: " if entry.get("logger") else "", cell(first, 100000)]
        if entry.get("source") == "json":
            record += [f" {key}={cell(value, 200)}" for key, value in (entry.get("fields") or {}).items()]
        lines.append((head + "".join(record)).rstrip())
        lines += [f"    {cell(line.expandtabs(4), 100000)}".rstrip() for line in rest]
    return clean("\n".join(lines))


def log_json_lines(entries: Sequence[Mapping[str, Any]]) -> str:
    """Records for programs: one JSON object a line, in ASCII: a terminal acts upon nothing in it."""
    return "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries)

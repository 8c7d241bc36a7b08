# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of results, as a person reads them. All that comes from hosts is cleaned here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...module_utils._tables import cell, width
from ...module_utils._terminal import clean

# Of a result beside its message; what is longer is named, and shown with -v.
_MOST_LINES = 20
_IN_COLLECTION = re.compile(r"/ansible_collections/(\w+)/(\w+)/(.+)$")
_STREAMS = ("stderr", "stdout", "module_stderr", "module_stdout")
# What a reader of a failure has no use for, or has read already.
_NOISE = {
    *("msg", "changed", "failed", "skipped", "invocation", "ansible_facts", "ansible_loop_var", "item"),
    *("stdout_lines", "stderr_lines", "failed_when_result", "attempts", "retries", "results", "diff"),
    *("exception", "warnings", "deprecations", "start", "end", "delta", "unreachable", "censored"),
}


def readable(value: Any) -> str:
    """A text of a host on as many lines as it has, fit for a terminal."""
    return clean(str(value).expandtabs()).strip("\n")


def first_line(text: str, limit: int = 100) -> str:
    """The beginning of a longer text."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return cell(lines[0], limit) + (" …" if len(lines) > 1 else "") if lines else ""


def block(text: str, indent: int) -> list[str]:
    """The lines of a text, indented."""
    return [f"{' ' * indent}{line}".rstrip() for line in text.splitlines()]


def hosts_label(hosts: Sequence[str], most: int = 3) -> str:
    """Some names, and how many more."""
    names = [cell(host, 40) for host in hosts]
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join(names[:most] + more)


def fit(text: str, columns: int) -> str:
    """As much of a line as a terminal has place for."""
    if width(text) <= columns:
        return text
    while text and width(text) >= columns:
        text = text[:-1]
    return text + "…"


def message_of(result: Mapping[str, Any]) -> str:
    """What a result says first."""
    if "censored" in result:
        return clean(str(result["censored"]))
    message = result.get("msg")
    if message is None or message == "":
        return "no reason was given"
    return readable(message if isinstance(message, str) else "\n".join(map(str, message)))


def failure_text(result: Mapping[str, Any], dump: Callable[[dict[str, Any]], str], context: str = "") -> str:
    """A failure in full: its message, what the program wrote, and what else the module tells."""
    parts = [readable(context) or message_of(result)]
    if "censored" not in result:
        for name in _STREAMS:
            text = readable(result.get(name) or "")
            if text and text not in parts[0]:
                parts.append(f"{name}:\n" + "\n".join(block(text, 2)))
        parts += _rest(result, dump)
    return "\n".join(parts)


def _rest(result: Mapping[str, Any], dump: Callable[[dict[str, Any]], str]) -> list[str]:
    rest = {
        name: value
        for name, value in result.items()
        if name not in {*_NOISE, *_STREAMS} and not name.startswith("_") and value not in (None, "")
    }
    if not rest:
        return []
    text = readable(dump(rest))
    if len(text.splitlines()) > _MOST_LINES:
        return [f"(-v shows more: {cell(', '.join(sorted(rest)), 200)})"]
    return [text]


def deprecation_text(deprecation: Any) -> str:
    """One of the deprecations of a result, which are dictionaries."""
    if not isinstance(deprecation, Mapping):
        return readable(deprecation)
    text = readable(deprecation.get("msg") or "")
    source = deprecation.get("collection_name") or "its source"
    when = deprecation.get("version") or deprecation.get("date")
    return f"{text.rstrip('.')}. To be removed from {cell(source)}, {cell(when)}." if when else text


def steps_text(timings: Any) -> str:
    """The times that a module took of its own steps."""
    if not isinstance(timings, Mapping):
        return ""
    return ", ".join(
        f"{cell(name).replace('_', ' ')} {elapsed(seconds)}"
        for name, seconds in timings.items()
        if isinstance(seconds, (int, float)) and seconds >= 1
    )


def is_rescued(task: Any) -> bool:
    """Whether a block around a task has tasks for its failure: the run goes on with them."""
    # What was imported stands in the block itself, between it and the task that imported it.
    below, parent = {task._uuid}, task._parent
    while parent is not None:
        if getattr(parent, "rescue", None) and any(other._uuid in below for other in parent.block):
            return True
        below.add(parent._uuid)
        parent = parent._parent
    return False


def place_of(path: str) -> str:
    """Where a task stands; a collection is named instead of the place where it is installed."""
    found = _IN_COLLECTION.search(path)
    return cell(f"{found[3]} of {found[1]}.{found[2]}" if found else path, 200)


def elapsed(seconds: float) -> str:
    """How long something took or has been going on, to the second where that is of interest."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def task_name(task: Any) -> str:
    """The name of a task without its role's, which the phase tells."""
    name = str(task.get_name()).strip()
    role = task._role.get_name(include_role_fqcn=True) if task._role is not None else ""
    short = task._role.get_name(include_role_fqcn=False) if task._role is not None else ""
    for prefix in (role, short):
        name = name.removeprefix(f"{prefix} : ") if prefix else name
    return cell(name, 160)

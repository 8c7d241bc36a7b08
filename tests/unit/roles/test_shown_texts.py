"""What hosts say is made fit for the controller's terminal before a task shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openclaw.mission_control.plugins.filter.terminal import FilterModule

ROOT = Path(__file__).resolve().parents[3]
FILES = [
    *sorted((ROOT / "playbooks").rglob("*.yml")),
    *sorted(ROOT.glob("roles/*/tasks/**/*.yml")),
]
VARIABLES = [path for room in ("vars", "defaults") for path in sorted(ROOT.glob(f"roles/*/{room}/*.yml"))]
SHOWN = {
    "ansible.builtin.fail": ("msg",),
    "ansible.builtin.assert": ("msg", "fail_msg", "success_msg"),
    "ansible.builtin.debug": ("msg",),
}
EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
# Answers of a host's; a number of lines is none.
FOREIGN = re.compile(
    r"\.(stdout|stderr|msg|remedy|journal|content|text|query_result)\b|_lines\b(?! \| length)|conn_err_msg"
    r"|\bitem\b|ansible_failed_result|\.(actions|settings|dangerous|problem)\b"
)
CLEANED = "openclaw.mission_control.clean"
# What is not computed from a host's answers, although it looks so, and why.
OWN = {
    "operations_service_problem": "of the inventory and the command line",
    "rotation.problem": "of the same",
    "backup_export_place": "of the same",
}


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from mappings(item)
    elif isinstance(value, dict):
        yield value
        for item in value.values():
            yield from mappings(item)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@cache
def variables(role: str) -> dict[str, str]:
    """What a role's own variables, or those of playbooks, are computed from."""
    places = [path for path in VARIABLES if path.parts[-3] == role]
    if not role:
        places = sorted((ROOT / "playbooks/vars").glob("*.yml"))
    found: dict[str, str] = {}
    for path in places:
        found |= {name: str(value) for name, value in (yaml.safe_load(path.read_text()) or {}).items()}
    return found


def written_out(expression: str, known: dict[str, str], depth: int = 5) -> str:
    """An expression with what its variables are computed from."""
    names = [name for name in re.findall(r"\b[a-z_]\w+\b", expression) if name in known]
    if not names or depth == 0:
        return expression
    more = " ".join(known[name] for name in dict.fromkeys(names))
    return f"{expression} {written_out(more, known, depth - 1)}"


def faults(text: str, known: dict[str, str]) -> Iterator[str]:
    """The expressions of a file's that show a terminal what a host says as it is."""
    for task in mappings(yaml.safe_load(text)):
        own = {**known, **{name: str(value) for name, value in (task.get("vars") or {}).items()}}
        for action, names in SHOWN.items():
            arguments = task.get(action)
            if not isinstance(arguments, dict):
                continue
            for shown in texts([arguments[name] for name in names if name in arguments]):
                for expression in EXPRESSION.findall(shown):
                    if CLEANED not in expression and FOREIGN.search(written_out(expression, own)):
                        yield f"{task.get('name')}: {' '.join(expression.split())}"


def own(fault: str) -> bool:
    return any(name in fault for name in OWN)


@pytest.mark.parametrize(
    ("message", "bad"),
    [
        ("{{ x.stderr }}", True),
        ("{{ x.stderr_lines | join(' ') }}", True),
        ("{{ 'is' if x.stdout_lines | length == 1 else 'are' }}", False),
        ("{{ seen }}", True),
        ("{{ deep | trim }}", True),
        ("{{ x.stderr | openclaw.mission_control.clean }}", False),
        ("{{ inventory_hostname }}: no", False),
    ],
)
@pytest.mark.parametrize(("action", "name"), [("fail", "msg"), ("assert", "fail_msg"), ("debug", "msg")])
def test_what_is_looked_for(action: str, name: str, message: str, bad: bool) -> None:
    tasks = [{"name": "Say it", f"ansible.builtin.{action}": {name: message}}]
    known = {"seen": "{{ x.conn_err_msg }}", "deep": "{{ seen }}"}
    assert bool(list(faults(yaml.safe_dump([{"block": tasks}]), known))) is bad


def test_nothing_of_a_host_reaches_the_terminal_as_it_is() -> None:
    assert len(FILES) > 80
    found = []
    for path in FILES:
        place = str(path.relative_to(ROOT))
        known = variables(path.relative_to(ROOT).parts[1] if place.startswith("roles/") else "")
        found += [f"{place}: {fault}" for fault in faults(path.read_text(), known) if not own(fault)]
    assert found == [], f"add | {CLEANED}"


def test_the_filter() -> None:
    clean = FilterModule().filters()["clean"]
    assert clean("a\x1b]0;title\x07b\u202e\nc") == "a ]0;title b \nc"
    assert clean({"a\x1b": ["\x1b[2J", 3, None]}) == {"a ": [" [2J", 3, None]}

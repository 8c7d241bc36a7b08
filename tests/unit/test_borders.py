"""What a user can write to is touched with that user's rights: no task acts there as root.

A task that has `become` (of its own, of its block or of its play; a role's tasks count as having it, since
playbooks give it to all of them) may name such a place only in a module of this collection, which sees to it,
or where it has become that user. Which variables are such places is worked out from the roles' own defaults
and variables, so a new one is known by what it is made of.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1].parent
# Users, and whatever is in their homes.
PLACES = {"common_home", "common_root", "gateway_root", "gateway_state_directory"}
USERS = {"common_user", "gateway_user", "source_user", "backend_user", "worker_user", "frontend_user"}
# They name files, if at all, on the controller only, or none.
HARMLESS = {
    f"ansible.builtin.{name}"
    for name in [
        "assert",
        "debug",
        "fail",
        "set_fact",
        "meta",
        "include_tasks",
        "import_tasks",
        "include_role",
        "import_role",
        "include_vars",
        "import_playbook",
        "add_host",
        "group_by",
        "pause",
        "ping",
        "validate_argument_spec",
        "systemd_service",
        "apt",
        "async_status",
    ]
}
OURS = "openclaw.mission_control."
# What a task is beside its module.
KEYWORDS = {
    "name",
    "become",
    "become_user",
    "become_method",
    "when",
    "register",
    "loop",
    "loop_control",
    "vars",
    "tags",
    "until",
    "retries",
    "delay",
    "changed_when",
    "failed_when",
    "no_log",
    "check_mode",
    "diff",
    "environment",
    "notify",
    "run_once",
    "delegate_to",
    "delegate_facts",
    "ignore_errors",
    "async",
    "poll",
    "args",
    "any_errors_fatal",
    "module_defaults",
    "ignore_unreachable",
    "throttle",
    "with_items",
    "block",
    "rescue",
    "always",
    "listen",
}
# The user is made with its home, in one step and by the system's own program.
ALLOWED = {("ansible.builtin.user", "common_home")}


@functools.cache
def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@functools.cache
def places() -> set[str]:
    """The variables whose values lead below a directory of a user's."""
    values: dict[str, list[str]] = {}
    for path in sorted((ROOT / "roles").glob("*/[dv]*s/*.yml")):
        for name, value in (load(path) or {}).items():
            values[name] = [text for text in texts(value) if looks_like_a_path(text)]
    found = set(PLACES)
    while True:
        new = {
            name
            for name, leaves in values.items()
            if name not in found and any(leads_there(text, found) for text in leaves)
        }
        if not new:
            return found
        found |= new


def looks_like_a_path(value: str) -> bool:
    """An expression that is a variable's value, or continues it: no text that just mentions one."""
    return bool(re.match(r"^\s*(\{\{|~/|/home/)", value)) and "\n" not in value.strip()


def leads_there(text: str, known: set[str]) -> bool:
    if re.search(r"(^|[\s'\"=:])(~/|/home/)", text):
        return True
    return any(re.search(rf"(?<![\w.']){re.escape(name)}\b", text) for name in known)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    else:
        yield str(value)


def tasks(entries: Any, inherited: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each task with what it inherits of become and become_user."""
    for entry in entries or []:
        own = {**inherited, **{key: entry[key] for key in ("become", "become_user") if key in entry}}
        nested = [
            key
            for key in ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always")
            if key in entry
        ]
        for key in nested:
            yield from tasks(entry[key], own)
        if not nested:
            yield entry, own


def offences(entries: Any, known: set[str], inherited: Mapping[str, Any]) -> list[str]:
    found = []
    for task, become in tasks(entries, inherited):
        if not become.get("become") or task.get("delegate_to") == "localhost":
            continue
        if any(name in str(become.get("become_user", "")) for name in USERS):
            continue
        for module in set(task) - KEYWORDS:
            if module in HARMLESS or module.startswith(OURS) or "." not in module:
                continue
            arguments = {
                key: value
                for key, value in task.items()
                if key in (module, "args", "loop", "vars", "with_items")
            }
            for text in texts(arguments):
                if leads_there(text, known) and not any(
                    module == allowed and name in text for allowed, name in ALLOWED
                ):
                    found.append(f"{task.get('name')}: {module}: {text}")
    return found


FILES = sorted(
    (
        *(ROOT / "roles").glob("*/tasks/*.yml"),
        *(ROOT / "roles").glob("*/handlers/*.yml"),
        *(ROOT / "playbooks").rglob("*.yml"),
    )
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_root_touches_nothing_that_a_user_can_change(path: Path) -> None:
    document = load(path)
    if isinstance(document, list):
        inherited = {"become": "roles" in path.relative_to(ROOT).parts or "tasks" in path.parts}
        assert offences(document, places(), inherited) == []


def test_the_places_are_found_through_other_variables() -> None:
    known = places()
    assert {"common_root", "gateway_identity", "backend_root", "gateway_root"} <= known
    assert not {"postgresql_password_file", "redis_password_file", "common_bundle_directory"} & known


SAMPLES = {
    "what C1 was": (
        """
        - name: Create the directories
          ansible.builtin.file: {path: "{{ item.path }}", state: directory, owner: "{{ common_user }}"}
          loop: [{path: "{{ common_root }}/shared"}]
        """,
        1,
    ),
    "through another variable": ("- ansible.builtin.copy: {dest: '{{ gateway_identity }}', content: x}", 1),
    "a literal path": (
        "- ansible.builtin.slurp: {src: /home/mission-control/mission-control/current/.env}",
        1,
    ),
    "in a command": (
        "- ansible.builtin.command: {argv: [cat, x], chdir: '{{ backend_root }}/current'}",
        1,
    ),
    "in a block": ("- block: [{ansible.builtin.stat: {path: '{{ common_home }}'}}]", 1),
    "in a play": (
        "- {hosts: all, become: true, tasks: [{ansible.builtin.stat: {path: '{{ common_root }}'}}]}",
        1,
    ),
    "by a module of another collection": ("- community.general.archive: {path: '{{ common_root }}'}", 1),
    "as the user": (
        "- {ansible.builtin.stat: {path: '{{ common_root }}'}, become_user: '{{ common_user }}'}",
        0,
    ),
    "without become": ("- {ansible.builtin.stat: {path: '{{ common_root }}'}, become: false}", 0),
    "by the mechanism": (
        "- openclaw.mission_control.user_directories: {user: x, root: '{{ common_root }}', directories: []}",
        0,
    ),
    "root's own": ("- ansible.builtin.copy: {dest: '{{ postgresql_password_file }}', content: x}", 0),
    "only said": ("- ansible.builtin.debug: {msg: '{{ common_root }}'}", 0),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_walk_sees(sample: str) -> None:
    text, number = SAMPLES[sample]
    found = offences(yaml.safe_load(text), places(), {"become": True})
    assert len(found) == number, found


def test_redis_is_asked_by_its_module_alone() -> None:
    """redis-cli tells a password to whoever listens; redis_server looks who that is."""
    tasks = [*(ROOT / "roles").glob("*/tasks/*.yml"), *(ROOT / "roles").glob("*/vars/*.yml")]
    assert len(tasks) > 100
    assert [str(path) for path in tasks if "redis-cli" in path.read_text()] == []

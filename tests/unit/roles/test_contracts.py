# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What roles may say in YAML, and what they may know of each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
PLACES = ("roles/*/vars/*.yml", "roles/*/defaults/*.yml", "roles/*/tasks/*.yml", "playbooks/**/*.yml")
FILES = sorted(path for place in PLACES for path in ROOT.glob(place))
# An expression, or a statement: Jinja's `for`, `set` and `if`.
JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
MOST_LINES = 3


def programs(text: str) -> list[str]:
    """What computes in a file of YAML and belongs into a filter, with its line."""
    found = []
    for node in scalars(yaml.compose(text)):
        raw = text[node.start_mark.index : node.end_mark.index]
        for match in JINJA.finditer(raw):
            line = node.start_mark.line + 1 + raw[: match.start()].count("\n")
            if match[0].startswith("{%") or match[0].count("\n") >= MOST_LINES:
                found.append(f"line {line}: {match[0].splitlines()[0]}")
    return found


def scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from scalars(item)
    elif isinstance(node, yaml.MappingNode):
        for _key, value in node.value:
            yield from scalars(value)


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 80 and len(ROLES) > 10


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('a: "{{ b }}"', []),
        ("a: >-\n  {{ b\n     or c\n     or d }}", []),
        ("a: >-\n  {{ b\n     or c\n     or d\n     or e }}", ["line 2: {{ b"]),
        (
            "a:\n  - >-\n    x\n    {% for b in c %}{{ b }}{% endfor %}",
            ["line 4: {% for b in c %}", "line 4: {% endfor %}"],
        ),
    ],
)
def test_a_program_is_recognized(text: str, lines: list[str]) -> None:
    assert programs(text) == lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_yaml_holds_values_and_python_computes(path: Path) -> None:
    assert programs(path.read_text()) == []


# --- what one role knows of another ---------------------------------------------------------------


def results(tasks: Any) -> Iterator[str]:
    """The names that tasks register or set."""
    for task in tasks or ():
        if "register" in task:
            yield task["register"]
        yield from (name for name in task.get("ansible.builtin.set_fact", {}) if "{{" not in name)
        for part in ("block", "rescue", "always"):
            yield from results(task.get(part))


@cache
def variables(role: str) -> frozenset[str]:
    """What vars/main.yml says."""
    path = ROOT / "roles" / role / "vars/main.yml"
    return frozenset(yaml.safe_load(path.read_text()) if path.exists() else ())


@cache
def worked_out(role: str) -> frozenset[str]:
    """What its tasks register or set."""
    tasks = (ROOT / "roles" / role / "tasks").glob("*.yml")
    return frozenset(name for path in tasks for name in results(yaml.safe_load(path.read_text())))


@cache
def own_names(role: str) -> frozenset[str]:
    """What a role works out for itself: results of its tasks, and its variables that are no options."""
    return worked_out(role) | variables(role)


def elsewhere(role: str) -> str:
    """All that other roles and the playbooks say, comments apart."""
    texts = []
    for path in [*FILES, *ROOT.glob("roles/*/templates/*")]:
        if path.relative_to(ROOT).parts[:2] != ("roles", role):
            texts += [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(texts)


@pytest.mark.parametrize("role", ROLES)
def test_no_result_takes_the_place_of_a_variable(role: str) -> None:
    """From then on whatever reads the variable would get it. What a README tells of is meant to."""
    documented = set(re.findall(r"`(\w+)`", (ROOT / "roles" / role / "README.md").read_text()))
    assert sorted((worked_out(role) & variables(role)) - documented) == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_of_another_only_what_that_hands_over(role: str) -> None:
    said = set(re.findall(r"\w+", elsewhere(role)))
    documented = set(re.findall(r"`(\w+)`", (ROOT / "roles" / role / "README.md").read_text()))
    assert sorted((own_names(role) & said) - documented) == []
    assert [name for name in own_names(role) & said if name.startswith("__")] == []


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_works_out_is_read_by_somebody(role: str) -> None:
    files = [path for path in (ROOT / "roles" / role).rglob("*") if path.suffix in (".yml", ".j2")]
    words = re.findall(r"\w+", elsewhere(role) + "\n".join(path.read_text() for path in files))
    documented = (ROOT / "roles" / role / "README.md").read_text()
    unread = {name for name in own_names(role) if words.count(name) < 2 and f"`{name}`" not in documented}
    assert sorted(unread) == []


@pytest.mark.parametrize("role", ["backend", "worker", "frontend"])
def test_a_component_hands_over_what_the_role_release_takes(role: str) -> None:
    (component,) = (
        task["ansible.builtin.set_fact"][f"{role}_component"]
        for task in yaml.safe_load((ROOT / "roles" / role / "tasks/settings.yml").read_text())
        if "ansible.builtin.set_fact" in task
    )
    specs = yaml.safe_load((ROOT / "roles/release/meta/argument_specs.yml").read_text())
    taken = specs["argument_specs"]["main"]["options"][f"release_{role}"]["options"]
    assert {"units", "libexec"} <= set(component) <= set(taken)
    assert all(set(unit) >= {"name", "content", "enabled", "state"} for unit in component["units"])

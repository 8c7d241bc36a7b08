"""Whatever acts as the server's superuser looks up names in pg_catalog only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FILES = [*sorted(ROOT.glob("roles/*/tasks/**/*.yml")), *sorted((ROOT / "playbooks").rglob("*.yml"))]
SAFE = "search_path=pg_catalog"
PROGRAMS = ("command", "shell", "expect", "script", "raw")


def tasks_of(value: Any, inherited: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Tasks, each with what it has of the blocks around it."""
    for item in value if isinstance(value, list) else []:
        if not isinstance(item, dict):
            continue
        own = {**inherited, **{key: item[key] for key in ("become_user", "environment") if key in item}}
        yield item, own
        for part in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks"):
            yield from tasks_of(item.get(part), own)


def talks_to_the_server(task: dict[str, Any]) -> bool:
    sql = [name for name in task if name.startswith("community.postgresql.")]
    programs = [task[name] for name in task if name.rpartition(".")[2] in PROGRAMS]
    return any(name != "community.postgresql.postgresql_pg_hba" for name in sql) or "psql" in str(programs)


def gives_a_password(task: dict[str, Any]) -> bool:
    user = task.get("community.postgresql.postgresql_user", {})
    query = task.get("community.postgresql.postgresql_query", {})
    return "password" in user or "password" in query.get("named_args", {})


def resolved(task: dict[str, Any], values: dict[str, str]) -> str:
    """The environment that a task has, as the role's variables say."""
    text = str(task.get("environment", ""))
    for name, value in values.items():
        text = text.replace(f"{{{{ {name} }}}}", value)
    return text


def faults(text: str, values: dict[str, str]) -> list[str]:
    """Tasks that would look at what others have put into the database."""
    return [
        str(task.get("name"))
        for task, has in tasks_of(yaml.safe_load(text), {})
        if talks_to_the_server(task)
        and ("postgresql_superuser" in str(has.get("become_user")) or has.get("become_user") == "postgres")
        and SAFE not in resolved(has, values)
    ]


def environment() -> dict[str, str]:
    """What tasks of the superuser have, by the name of the role's variable."""
    read = yaml.safe_load((ROOT / "roles/postgresql/vars/main.yml").read_text())
    options = read["__postgresql_superuser_environment"]["PGOPTIONS"]
    return {
        name: read[name]["PGOPTIONS"].replace("{{ __postgresql_superuser_environment.PGOPTIONS }}", options)
        for name in ("__postgresql_superuser_environment", "__postgresql_password_environment")
    }


def test_a_statement_with_a_password_is_not_logged_by_the_server() -> None:
    """Whatever the operator has it log: statements of this kind, slow ones, those that fail."""
    told = [
        (str(task.get("name")), resolved(has, environment()))
        for path in FILES
        for task, has in tasks_of(yaml.safe_load(path.read_text()), {})
        if gives_a_password(task)
    ]
    assert len(told) == 3
    assert [name for name, text in told if "log_min_error_statement=panic" not in text] == []
    assert [name for name, text in told if "log_statement=none" not in text] == []


ACT = "become_user: postgres\n  community.postgresql.postgresql_query: {query: SELECT 1}"


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        (f"- {ACT}", True),
        ("- become_user: postgres\n  ansible.builtin.command: psql -c 'SELECT 1'", True),
        (
            "- become_user: '{{ postgresql_superuser }}'\n  community.postgresql.postgresql_db: {name: x}",
            True,
        ),
        (f"- environment: {{PGOPTIONS: -c x}}\n  {ACT}", True),
        (f"- environment: {{PGOPTIONS: -c {SAFE}}}\n  {ACT}", False),
        (f"- environment: '{{{{ __postgresql_superuser_environment }}}}'\n  {ACT}", False),
        ("- community.postgresql.postgresql_query: {query: SELECT 1}", False),
        (f"- become_user: postgres\n  block:\n    - {ACT.splitlines()[1].strip()}", True),
    ],
)
def test_what_is_looked_for(text: str, bad: bool) -> None:
    assert bool(faults(text, environment())) is bad


def test_every_task_of_the_superusers_does() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in FILES
        for name in faults(path.read_text(), environment())
    ]
    assert found == [], f"set environment: PGOPTIONS: -c {SAFE} (__postgresql_superuser_environment)"


def test_who_logs_in_as_the_superuser_is_it() -> None:
    """So that the test above finds all of them."""
    for path in FILES:
        for task, has in tasks_of(yaml.safe_load(path.read_text()), {}):
            if (
                "login_user" in str(task)
                and "postgresql_superuser }}"
                in str([value for key, value in task.items() if key.startswith("community.")])
                and "postgresql_pg_hba" not in str(list(task))
            ):
                assert has.get("become_user") == "{{ postgresql_superuser }}", (path, task.get("name"))

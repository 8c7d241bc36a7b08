"""What must hold for every role and every module of the collection, whoever adds one."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
USES = "\n".join(
    path.read_text()
    for folder in ("molecule", "playbooks", "roles")
    for path in sorted((ROOT / folder).rglob("*.yml"))
    if "node_modules" not in path.parts
)


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def role_defaults(role: str) -> dict[str, Any]:
    path = ROOT / "roles" / role / "defaults" / "main.yml"
    return (load(path) or {}) if path.exists() else {}


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True, text=True
    ).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("role", ROLES)
def test_role_defaults_are_the_documented_options(role: str) -> None:
    defaults = role_defaults(role)
    specs = load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
    options: dict[str, Any] = {}
    for entry_point in specs.values():
        options.update(entry_point.get("options", {}))
    required = {name for name, option in options.items() if option.get("required")}
    assert set(defaults) == set(options) - required
    for name, option in options.items():
        assert option.get("description"), f"{name} has no description"
        default = option.get("default")
        if default is not None and "{{" not in str(defaults[name]):
            assert defaults[name] == default, f"{name}: argument_specs says {default!r}"


@pytest.mark.parametrize("role", ROLES)
def test_role_variables_carry_the_roles_name(role: str) -> None:
    assert [name for name in role_defaults(role) if not name.startswith(f"{role}_")] == []


@pytest.mark.parametrize("role", ROLES)
def test_role_tells_what_it_is(role: str) -> None:
    assert load(ROOT / "roles" / role / "meta" / "main.yml")["galaxy_info"]["description"]
    assert len((ROOT / "roles" / role / "README.md").read_text()) > 200


@pytest.mark.parametrize("module", MODULES)
def test_module_has_documentation_a_unit_test_and_a_use(module: str) -> None:
    source = (ROOT / "plugins" / "modules" / f"{module}.py").read_text()
    for block in ("DOCUMENTATION", "EXAMPLES", "RETURN"):
        assert re.search(rf"^{block} = r?(\"\"\"|''')", source, re.MULTILINE), f"{module} lacks {block}"
    tests = ROOT / "tests" / "unit" / "plugins"
    assert any((tests / kind / f"test_{module}.py").exists() for kind in ("modules", "action")), (
        f"{module} has no unit test"
    )
    assert f"openclaw.mission_control.{module}:" in USES, f"no role, playbook or scenario uses {module}"


def test_the_readme_lists_every_module_and_role() -> None:
    text = (ROOT / "README.md").read_text()
    assert [name for name in MODULES if f"`{name}`" not in text] == []
    assert [name for name in ROLES if f"roles/{name}/README.md" not in text] == []


def test_every_path_that_a_document_names_is_there() -> None:
    """Paths of this repository alone: others are a host's, or examples with braces."""
    tops = "plugins|roles|playbooks|molecule|tests|docs|benchmarks|inventory|changelogs"
    missing = []
    for document in (ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for path in re.findall(rf"`((?:{tops})/[\w./-]+)`", document.read_text()):
            if not (ROOT / path).exists():
                missing.append(f"{document.name}: {path}")
    assert missing == []


def test_programs_for_a_host_import_what_the_host_command_has() -> None:
    """They are text here, which no other tool follows: benchmarks and scenarios run them with the archive."""
    below = ROOT / "plugins" / "module_utils"
    found = [
        (program.name, package, name.strip())
        for folder in ("benchmarks", "molecule")
        for program in sorted((ROOT / folder).rglob("*.py"))
        for package, names in re.findall(
            r"from mission_control((?:\.\w+)*) import ([\w, ]+)", program.read_text()
        )
        for name in names.split(",")
    ]
    assert found
    for program, package, name in found:
        module = importlib.import_module(
            f"ansible_collections.openclaw.mission_control.plugins.module_utils{package}"
        )
        there = hasattr(module, name) or (below.joinpath(*package.split("."), f"{name}.py")).exists()
        assert there, f"{program}: from mission_control{package} import {name}"


def test_documentation_of_every_module_renders() -> None:
    answer = subprocess.run(
        ["ansible-doc", "--type", "module", *(f"openclaw.mission_control.{module}" for module in MODULES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert "ERROR" not in answer.stderr and "WARNING" not in answer.stderr, answer.stderr


@pytest.mark.parametrize("kind", ["filter", "test"])
def test_every_filter_and_test_is_documented(kind: str) -> None:
    names = []
    for path in sorted((ROOT / "plugins" / kind).glob("*.py")):
        source = importlib.import_module(
            f"ansible_collections.openclaw.mission_control.plugins.{kind}.{path.stem}"
        )
        plugins = source.FilterModule().filters() if kind == "filter" else source.TestModule().tests()
        names += [f"openclaw.mission_control.{name}" for name in plugins]
    answer = subprocess.run(
        ["ansible-doc", "--json", "--type", kind, *names], capture_output=True, text=True, check=True
    )
    told = json.loads(answer.stdout)
    assert names and set(told) == set(names)
    for name, entry in told.items():
        assert entry["doc"]["description"] and entry["examples"] and entry["return"], name


def test_every_playbook_names_its_hosts() -> None:
    for playbook in sorted((ROOT / "playbooks").glob("*.yml")):
        for play in load(playbook):
            assert "ansible.builtin.import_playbook" in play or play["hosts"], playbook


def test_no_download_host_is_written_down() -> None:
    # A mirror or a bundle must be able to serve every download, so none may be fixed in the tree.
    hosts = (
        ("registry", "npmjs", "org"),
        ("files", "pythonhosted", "org"),
        ("pypi", "org"),
        ("deb", "debian", "org"),
    )
    pattern = re.compile("|".join(re.escape(".".join(parts)) for parts in hosts))
    offenders = [str(path) for path in tracked_files() if pattern.search(path.read_text(errors="ignore"))]
    assert offenders == []


def tasks_of(told: Any) -> Iterator[dict[str, Any]]:
    """The tasks of a playbook or of a file of tasks, those in blocks, too."""
    for item in told if isinstance(told, list) else []:
        if isinstance(item, dict):
            yield item
            for name in ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"):
                yield from tasks_of(item.get(name))


def test_no_task_writes_a_login_that_it_sends_into_the_journal() -> None:
    # What a module of Ansible's is called with goes there, unless the task has no_log.
    sent, offenders = 0, []
    for path in tracked_files():
        if path.suffix == ".yml" and "reference_application" not in path.parts:
            for task in tasks_of(load(path)):
                given = json.dumps([task[name] for name in task if name.endswith((".uri", ".get_url"))])
                if re.search(r"(?i)\{\{[^}]*(authoriz|token|password|secret)", given):
                    sent += 1
                    if task.get("no_log") is not True:
                        offenders.append(f"{path.relative_to(ROOT)}: {task.get('name')}")
    assert sent and offenders == []


def test_lock_file_of_the_reference_frontend_names_no_download_address() -> None:
    lock = ROOT / "molecule" / "reference_application" / "frontend" / "package-lock.json"
    assert '"resolved"' not in lock.read_text()


def test_nothing_of_an_operators_gets_into_the_archive(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for path in tracked_files():
        copy = checkout / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for name in (
        "inventory/production/group_vars/all/vault.yml",
        "inventory/europe/hosts",
        "inventory/exam/hosts",
        "inventory/example2/hosts",
        "inventory/example.yml",
        "inventory/hosts",
        "reports/mc1.json",
        "group_vars/all/vault.yml",
        "playbooks/host_vars/mc1.yml",
        ".vault_pass",
    ):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("secret: hunter2\n")
    subprocess.run(
        ["ansible-galaxy", "collection", "build", "--output-path", str(tmp_path), str(checkout)],
        check=True,
        capture_output=True,
    )
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {member.name: member for member in file if member.isfile()}
        assert [name for name in names if b"hunter2" in file.extractfile(names[name]).read()] == []  # type: ignore[union-attr]
    assert {name for name in names if name.startswith("inventory/")} == {
        str(path.relative_to(ROOT)) for path in tracked_files() if ROOT / "inventory/example" in path.parents
    }
    assert {"README.md", "playbooks/deploy.yml", "plugins/modules/verify.py"} <= set(names)


def test_nothing_that_ships_asserts() -> None:
    """Python with -O leaves assert out; Galaxy's tools refuse it (ansible-test's no-assert)."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "plugins").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert found == []

"""The house's plan, held by its sources: which package stands on which floor, and who may import whom."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_tree import (
    COLLECTION,
    FILES,
    Import,
    imports,
    tree,
)

# The packages and modules of module_utils from the ground up. One imports only what stands below it.
# Whoever adds one names its floor here.
FLOORS: tuple[tuple[str, ...], ...] = (
    # What is secret, and hiding it; durations and moments; text that is fit for a terminal; kinds of cures.
    ("_redaction", "_times", "_terminal", "_plain_json", "_cures"),
    # Settings for a reader; plain tables; how modules fail.
    ("_shown_settings", "_tables", "_failing"),
    # The operating system, nothing of the product.
    ("_host",),
    # What the product is and where it lies; HTTP; the module that knows secrets and runs work as a user.
    ("_application", "_http", "_ansible_module", "_discreet"),
    # What a bundle provides to those who install from it.
    ("_bundle",),
    # OpenClaw alone; an installation that is taken over.
    ("_gateway", "_adoption"),
    # From source to links.
    ("_release",),
    # Its schema and its copies; what a host is asked as a whole; making a bundle.
    ("_database", "_inspection", "_bundle_build"),
    # The daily commands.
    ("_services",),
    # Restore points: made, listed, restored, proved.
    ("_backup",),
    # Checks without Ansible.
    ("_verify",),
    # The host's own Redis: its files and its users.
    ("_redis_server",),
    # The host's program.
    ("_command",),
)
FLOOR = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}

# What may be imported inside a function, and why it may wait.
HEAVY = {
    "requests": "may be missing, takes a quarter of a second to load, and checks without HTTP do without it",
    "urllib3": "comes with requests",
    "psycopg2": "may be missing, and only what asks a database needs it",
    "cryptography": "takes some 50 ms to load, which a preflight without certificates does without",
    "ssl": "takes some 20 ms to load, which checks without TLS do without",
}
# A host may lack these, so they are imported nowhere else.
MAY_BE_MISSING = ("requests", "urllib3", "psycopg2")

# What knows Ansible below plugins/modules.
KNOWS_ANSIBLE = {
    "module_utils._ansible_module",
    "module_utils._discreet",
    "module_utils._failing",
    "module_utils._verify.module",
}


def all_imports(*places: str) -> Iterator[Import]:
    for name in FILES:
        if not places or name.startswith(tuple(f"{place}." for place in places)):
            yield from imports(name)


def package(name: str) -> str:
    """The package or lone module of module_utils to which a module belongs."""
    return name.split(".")[1]


def test_every_package_names_its_floor() -> None:
    there = {package(name) for name in FILES if name.startswith("module_utils.")}
    assert len(there) > 10
    assert sorted(there - set(FLOOR)) == [], "name their floor in FLOORS"
    assert sorted(set(FLOOR) - there) == [], "there is no such package any more"
    assert len(FLOOR) == sum(map(len, FLOORS)), "one stands on two floors"


def test_a_package_imports_only_from_below() -> None:
    upwards = [
        str(found)
        for found in all_imports("module_utils")
        if found.own
        and found.name.startswith("module_utils.")
        and package(found.name) != package(found.importer)
        and FLOOR[package(found.name)] >= FLOOR[package(found.importer)]
    ]
    assert upwards == []


def test_module_utils_imports_nothing_else_of_ours() -> None:
    """plugin_utils is for the controller: a host that gets a module does not get it."""
    strangers = [
        str(found)
        for found in all_imports("module_utils")
        if found.own and not found.name.startswith("module_utils")
    ]
    assert strangers == []


def test_plugins_do_not_import_one_another() -> None:
    """What two plugins need is in plugin_utils, what two modules need in module_utils."""
    kinds = ("action", "callback", "filter", "modules")
    found = [
        str(found)
        for found in all_imports(*kinds)
        if found.own and found.name.split(".")[0] not in ("module_utils", "plugin_utils", "doc_fragments")
    ]
    assert found == []


def test_our_own_is_imported_relatively() -> None:
    absolute = [str(found) for found in all_imports() if found.own and not found.relative]
    assert absolute == []
    assert sum(found.relative for found in all_imports()) > 500


def test_only_heavy_libraries_are_imported_inside_a_function() -> None:
    inside = [found for found in all_imports() if found.function]
    assert [str(found) for found in inside if found.name.split(".")[0] not in HEAVY] == []
    used = {found.name.split(".")[0] for found in inside}
    assert sorted(set(HEAVY) - used) == [], "nobody imports these inside a function any more"


def test_what_may_be_missing_is_imported_nowhere_else() -> None:
    """Where it is missing, the task says so in a sentence of its own."""
    outside = [found for found in all_imports() if not found.function]
    assert [str(found) for found in outside if found.name.split(".")[0] in MAY_BE_MISSING] == []


def test_only_what_ends_a_module_knows_ansible() -> None:
    found = {found.importer for found in all_imports("module_utils") if found.name.split(".")[0] == "ansible"}
    assert found == KNOWS_ANSIBLE


@pytest.mark.parametrize("name", [name for name, path in FILES.items() if path.name == "__init__.py"])
def test_a_package_file_is_one_docstring(name: str) -> None:
    assert ast.get_docstring(tree(name))
    assert len(tree(name).body) == 1


def test_mypy_sees_all_borders() -> None:
    """Nothing of our own is skipped, and no class of our own is excused; Ansible's are not typed."""
    settings = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["tool"]["mypy"]
    assert settings["strict"] is True
    unseen = {module for override in settings["overrides"] for module in override["module"]}
    assert unseen == {"ansible.*", "psycopg2.*", "redis.*"}
    excused = []
    for name, path in FILES.items():
        lines = path.read_text(encoding="utf-8").splitlines()
        foreign = {
            alias.asname or alias.name
            for node in ast.walk(tree(name))
            if isinstance(node, ast.ImportFrom)
            and not node.level
            and (node.module or "").startswith("ansible.")
            for alias in node.names
        }
        excused += [
            f"{name}.{node.name}"
            for node in ast.walk(tree(name))
            if isinstance(node, ast.ClassDef)
            and "type: ignore" in lines[node.lineno - 1]
            and not any(isinstance(base, ast.Name) and base.id in foreign for base in node.bases)
        ]
    assert excused == []


def test_the_imports_are_read_from_the_sources() -> None:
    """What the other tests lean on finds imports of every form."""
    found = {(one.name, one.function, one.relative) for one in imports("module_utils._verify.runner")}
    assert ("module_utils._verify.context", "", True) in found
    assert ("module_utils._application.installation", "", True) in found
    assert ("threading", "", False) in found
    assert COLLECTION.endswith("mission_control")

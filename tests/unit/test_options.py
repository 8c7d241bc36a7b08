"""Options of modules and roles: what several share is said once, and secrets among them are marked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openclaw.mission_control.plugins.doc_fragments.application import ModuleDocFragment
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import module_options
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import is_secret
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS

ROOT = Path(__file__).resolve().parents[2]
MODULES = {path.stem: path for path in sorted((ROOT / "plugins/modules").glob("*.py"))}
ROLES = {path.parents[1].name: path for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))}
SHARED: dict[str, module_options.Specification] = {
    name: value for name, value in vars(module_options).items() if name.isupper() and not name.startswith("_")
}
TYPES = ("type", "default", "required", "choices", "elements")


# --- options in common -----------------------------------------------------------------------------


def fragments() -> dict[str, dict[str, dict[str, Any]]]:
    """The options of each part of the documentation fragment, by the name of what they are in code."""
    return {
        "APPLICATION" if name == "DOCUMENTATION" else name: yaml.safe_load(text)["options"]
        for name, text in vars(ModuleDocFragment).items()
        if name.isupper()
    }


def typed(option: Mapping[str, Any]) -> dict[str, Any]:
    return {key: option[key] for key in TYPES if key in option}


def test_the_fragment_documents_what_the_code_asks_for() -> None:
    documented = {name: {key: typed(o) for key, o in part.items()} for name, part in fragments().items()}
    assert documented == {name: {key: typed(o) for key, o in part.items()} for name, part in SHARED.items()}
    for part in fragments().values():
        assert all(option["description"] for option in part.values())


def own_options(path: Path) -> dict[str, dict[str, Any]]:
    """The options that a module documents itself."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return yaml.safe_load(ast.literal_eval(node.value)).get("options") or {}
    raise AssertionError(f"{path} has no DOCUMENTATION")


def spelt(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The options that a module's own text asks for."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg == "argument_spec" and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant):
                    try:
                        yield str(key.value), ast.literal_eval(value)
                    except ValueError:
                        continue  # made of something that is imported


@pytest.mark.parametrize("module", MODULES)
def test_a_module_spells_no_shared_option_again(module: str) -> None:
    shared = [(name, typed(option)) for part in SHARED.values() for name, option in part.items()]
    # A required option of type str says nothing of what it means: the gateway's user is another user.
    shared = [entry for entry in shared if "default" in entry[1] or entry[0] == "root"]
    # Without a name of its own, or for another place: its description says so.
    other = {("deployment", "release"), ("database_backup", "release"), ("database_restore", "release")}
    other |= {("backup_restore", "release")}
    for where, options in (
        ("argument_spec", dict(spelt(MODULES[module]))),
        ("DOCUMENTATION", own_options(MODULES[module])),
    ):
        again = [
            name
            for name, option in options.items()
            if (name, typed(option)) in shared and (module, name) not in other
        ]
        if module == "user_directories":  # the outermost directory of any user
            again = [name for name in again if name != "root"]
        if module == "host_command":  # it must exist; what it is installed for
            again = [name for name in again if name != "root"]
        assert again == [], f"{where}: take it from module_options and the fragment application"


# --- secrets ---------------------------------------------------------------------------------------

# Options whose name says that they are secret, and why they are not marked. Whether something is wanted
# (a bool) is no secret in any case.
NOT_SECRET: dict[str, str] = {}


def secret_options(options: Mapping[str, Mapping[str, Any]], place: str) -> Iterator[tuple[str, bool]]:
    """Each option whose name is secret, at whatever depth, and whether it is marked."""
    for name, option in options.items():
        if is_secret(name) and option["type"] != "bool":
            yield f"{place}.{name}", option.get("no_log") is True
        yield from secret_options(option.get("options") or {}, f"{place}.{name}")


def entry_points(role: str) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(ROLES[role].read_text())["argument_specs"]


@pytest.mark.parametrize("role", ROLES)
def test_a_secret_option_of_a_role_is_marked(role: str) -> None:
    for entry, spec in entry_points(role).items():
        found = dict(secret_options(spec.get("options") or {}, f"{role}.{entry}"))
        assert [name for name, marked in found.items() if not marked and name not in NOT_SECRET] == []


def spelt_secrets(path: Path) -> Iterator[tuple[str, bool]]:
    """The same of options that are written in code, wherever they stand there."""
    for node in ast.walk(ast.parse(path.read_text())):
        for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
            if not (
                isinstance(key, ast.Constant) and isinstance(value, ast.Dict) and is_secret(str(key.value))
            ):
                continue
            words = {
                k.value: v.value
                for k, v in zip(value.keys, value.values, strict=True)
                if isinstance(k, ast.Constant) and isinstance(v, ast.Constant)
            }
            if is_secret(str(key.value)) and words.get("type", "bool") != "bool":
                yield f"{path.name}:{key.lineno} {key.value}", words.get("no_log") is True


def test_a_secret_option_of_a_module_is_marked() -> None:
    code = (*MODULES.values(), *sorted((ROOT / "plugins/module_utils").rglob("*.py")))
    found = {name: marked for path in code for name, marked in spelt_secrets(path)}
    assert len(found) > 7
    assert [name for name, marked in found.items() if not marked] == []


# --- lists of checks -------------------------------------------------------------------------------


def test_the_role_verify_knows_the_checks_that_there_are() -> None:
    options = entry_points("verify")["main"]["options"]
    assert options["verify_checks"]["choices"] == ["all", *CHECKS]
    assert options["verify_skip"]["choices"] == list(CHECKS)
    assert options["verify_controller_checks"]["choices"] == list(CHECKS)


# --- yes or no -------------------------------------------------------------------------------------

# From the command line (-e name=false) everything comes as text, and "false" is true.
BOOLEANS = sorted(
    {
        name
        for role in ROLES
        for spec in entry_points(role).values()
        for name, option in (spec.get("options") or {}).items()
        if option["type"] == "bool"
    }
)
USE = re.compile(rf"\b({'|'.join(BOOLEANS)})\b(?!\s*:)(?P<rest>[^\n]{{0,60}})")
CAST = re.compile(r"(\s*\|\s*default\([^)]*\))?\s*\|\s*bool\b")
# Handed on as it is: a module casts, and a role's option is looked at again.
HANDED_ON = re.compile(r"""^\s*[\w-]+: "\{\{ \w+ \}\}"$""")


def uses_of_booleans() -> Iterator[tuple[str, bool]]:
    """Each line that asks a role's boolean, and whether it takes text for what it says."""
    places = ("roles/*/tasks", "roles/*/vars", "roles/*/defaults", "roles/*/templates", "playbooks")
    for path in sorted(file for place in places for folder in ROOT.glob(place) for file in folder.rglob("*")):
        for number, line in enumerate(path.read_text().splitlines() if path.is_file() else (), 1):
            for found in USE.finditer("" if line.lstrip().startswith(("#", "--")) else line):
                cast = CAST.match(found["rest"]) or HANDED_ON.match(line)
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}", bool(cast)


def test_a_boolean_from_the_command_line_is_cast() -> None:
    found = dict(uses_of_booleans())
    assert len(BOOLEANS) > 15 and len(found) > 20
    assert [line for line, cast in found.items() if not cast] == []

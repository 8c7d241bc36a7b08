# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources of the host command, collected on the controller: the entries and all that they import."""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Iterable, Sequence

from ..module_utils._command import archive
from ..module_utils._command.main import COMMANDS
from ..module_utils._verify.options import CHECKS
from ..module_utils._verify.reports.formats import RENDERERS

NAME = archive.NAME
PACKAGE = archive.__name__.rsplit(".", 2)[0]  # module_utils
# What is loaded by name, and the checks, which whoever calls adds.
ENTRIES = (
    "_command.main",
    *sorted({f"_command.{module}" for module, _function in COMMANDS.values()}),
    "_command.verify",
    "_verify.standalone",
    *(f"_verify.reports.{module}" for _ending, module in RENDERERS.values()),
)
_MAIN = f"import sys\n\nfrom {NAME}._command.main import main\n\nsys.exit(main())\n"
# Parsing the sources would take a third of a second of each deployment.
_IMPORT = re.compile(r"^ *from (\.+)([\w.]*) import (\([^)]*\)|.*)$", re.MULTILINE)


@functools.cache
def _source(name: str) -> tuple[str, bool] | None:
    """The text of a module of this package and whether it is a package; None for what is none."""
    parent = _source(name.rpartition(".")[0]) if "." in name else ("", True)
    # To look for something in a module that is no package would load that.
    if parent is None or not parent[1]:
        return None
    spec = importlib.util.find_spec(f"{PACKAGE}.{name}")
    if spec is None or spec.loader is None:
        return None
    # Ansible's loader of collections has the bytes.
    found: str | bytes | None = spec.loader.get_source(spec.name)  # type: ignore[attr-defined]
    text = found.decode("utf-8") if isinstance(found, bytes) else found
    return (text or ""), spec.submodule_search_locations is not None


def _imports(name: str, text: str, package: bool) -> Iterable[str]:
    """Modules of this package that a module imports, wherever in it."""
    own = name.split(".")
    for dots, module, names in _IMPORT.findall(text):
        up = len(dots) - (1 if package else 0)
        base = own[: len(own) - up] if up else own
        target = [*base, *(module.split(".") if module else [])]
        if target:
            yield ".".join(target)
        for imported in names.strip("()").split(","):
            if imported.strip():
                yield ".".join([*target, imported.split()[0]])


def sources(entries: Sequence[str]) -> dict[str, str]:
    """The files of the archive: the entries and all that they import from this package."""
    found: dict[str, str] = {"__main__.py": _MAIN, f"{NAME}/__init__.py": ""}
    waiting, seen = list(entries), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        read = _source(name)
        if read is None:
            continue
        text, package = read
        path = name.replace(".", "/")
        found[f"{NAME}/{path}/__init__.py" if package else f"{NAME}/{path}.py"] = text
        parent = name.rpartition(".")[0]
        waiting += [*([parent] if parent else []), *_imports(name, text, package)]
    return dict(sorted(found.items()))


def command_sources() -> dict[str, str]:
    """The files of the command: it has all checks on board."""
    return sources(ENTRIES + tuple(f"_verify.checks.{name}" for name in CHECKS))


COMPLETION = """\
# Completion of mission-control for bash. Installed by the Ansible collection openclaw.mission_control.
_mission_control() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command=${COMP_WORDS[1]-} words=
    local services="@services@ all"
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        words="@commands@ --help"
    else
        case $previous in
            --format) words="@formats@" ;;
            --output)
                [[ $command == verify ]] || return
                compopt -o filenames
                COMPREPLY=($(compgen -f -- "$current"))
                return
                ;;
            -n | --lines | --since | --until | -g | --grep | --timeout | --wait) return ;;
            --listen | --cache | --name | -o) return ;;
            *)
                case $command in
                    status) words="$services --help" ;;
                    start | stop | restart) words="$services --timeout --help" ;;
                    logs) words="$services --follow --lines --since --until --grep --output --help" ;;
                    verify) words="@checks@ --format --output --wait --verbose --help" ;;
                    serve) words="@checks@ --listen --cache --name --help" ;;
                    releases) words="--json --help" ;;
                    db) ((COMP_CWORD == 2)) && words="--write --help" ;;
                esac
                ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _mission_control mission-control
"""


def completion(services: Sequence[str], checks: Sequence[str], formats: Sequence[str]) -> str:
    """The completion for this host's services."""
    text = COMPLETION
    for name, words in (
        ("services", services),
        ("checks", checks),
        ("formats", formats),
        ("commands", ("status", "start", "stop", "restart", "logs", "verify", "serve", "releases", "db")),
    ):
        text = text.replace(f"@{name}@", " ".join(words))
    return text

"""Every kind of finding with its causes and remedies, read from the code that makes findings.

A finding is a call with the arguments `kind`, `cause` and `remedy` (Verdict, Problem, Symptom, Limit and
Reason), an assignment of these three to a verdict, a row of `_http.REASONS`, or an error of the host that a
check passes on.
What a finding fills in is shown in braces.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from ansible_collections.openclaw.mission_control.plugins.module_utils import _cures
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.reasons import REASONS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks.service import (
    MANAGER_CURES,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins" / "module_utils"
EVERY = "every check"
HTTP = "every check that asks over HTTP"
HOST = "every check that looks at the host"
# Files below module_utils whose findings are not those of the check that has the file's name.
PLACES: Mapping[str, tuple[str, ...]] = {
    "_verify/checks/door_answers.py": ("front_door",),
    "_verify/checks/door_certificate.py": ("front_door",),
    "_verify/checks/gateway_door.py": ("front_door",),
    "_verify/checks/api.py": ("agents", "gateway", "sessions", "session", "metrics"),
    "_verify/checks/gateway_targets.py": ("gateway", "sessions", "session"),
    "_verify/checks/gateway_sessions.py": ("sessions", "session"),
    "_verify/checks/frontend_build.py": ("frontend", "configuration"),
    "_verify/checks/preflight_request.py": ("cors", "frontend", "front_door"),
    "_verify/postgresql.py": ("database",),
    "_verify/host_account.py": ("host",),
    "_verify/certificate_renewal.py": ("host",),
    "_verify/firewall.py": ("host",),
    "_verify/database_locks.py": ("database",),
    "_verify/database_writes.py": ("database",),
    "_verify/database_search_path.py": ("database",),
    "_verify/gateway_address.py": ("gateway",),
    "_verify/release_files.py": ("configuration",),
    "_verify/redis_writes.py": ("queue",),
    "_verify/stray_workers.py": ("queue",),
    "_verify/gateway_probe.py": ("gateway", "sessions", "session"),
    "_verify/settling.py": ("health", "frontend", "gateway"),
    "_verify/sandbox.py": ("host",),
    "_verify/unit_state.py": ("service",),
    "_verify/unit_process.py": ("service",),
    "_verify/host_ways.py": ("host",),
    "_verify/device_identity.py": ("configuration",),
    "_database/login.py": ("database",),
    "_backup/restic.py": ("backup",),
    "_verify/context.py": (HTTP,),
    "_verify/deployed.py": ("database", "configuration"),
    "_verify/http_context.py": (HTTP,),
    "_verify/attempts.py": (EVERY,),
    "_verify/runner.py": (EVERY,),
    "_verify/waivers.py": (EVERY,),
    "_services/diagnosis.py": ("service",),
}
# Of _verify/context.py, what is not said of an answer.
KINDS: Mapping[str, tuple[str, ...]] = {
    "internal": (EVERY,),
    "missing_library": (EVERY,),
}
FOUND = ("kind", "cause", "remedy")


def cure_of(node: ast.expr | None, true: Mapping[str, bool]) -> str:
    """By what a finding is cured, out of how the code says it."""
    match node:
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return cure_of(body if true.get(ast.dump(test)) else orelse, true)
        case ast.Name(id=name) if isinstance(cure := getattr(_cures, name, None), _cures.Cure):
            return shown(cure)
        case ast.Call(func=ast.Name(id=name)):
            return shown(getattr(_cures, name)([] if name == "end" else 0))
    return _cures.PERSON


def shown(cure: _cures.Cure) -> str:
    """Who does it; with repair where that does it by itself."""
    return f"{cure.by}, `repair`" if cure.action not in ("", "wait") else cure.by


@dataclass(frozen=True)
class Kind:
    """One reason for a finding of some kind."""

    kind: str
    cause: str
    remedy: str
    checks: tuple[str, ...]
    part: str = ""  # of the check, where it is always the same one
    by: str = "person"  # who or what cures it, and whether repair does


@dataclass
class _Scope:
    """What names stand for where a finding is made."""

    names: dict[str, ast.expr] = field(default_factory=dict)


def _tests(node: ast.expr, scope: _Scope) -> set[str]:
    """The conditions that an expression depends on."""
    if isinstance(node, ast.Name) and node.id in scope.names:
        return _tests(scope.names[node.id], scope)
    return {ast.dump(item.test) for item in ast.walk(node) if isinstance(item, ast.IfExp)}


def _text(node: ast.expr, scope: _Scope, true: Mapping[str, bool]) -> str | None:
    """An expression as a reader sees it, under some conditions; None where it is no text."""
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.JoinedStr(values=values):
            return "".join(_text(part, scope, true) or "{…}" for part in values)
        case ast.FormattedValue(value=ast.Call(args=[ast.JoinedStr() as words])):
            # Quoted for a shell.
            return f"'{_text(words, scope, true)}'"
        case ast.FormattedValue(value=value):
            return _text(value, scope, true) if isinstance(value, ast.IfExp) else f"{{{_word(value)}}}"
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _text(body if true.get(ast.dump(test)) else orelse, scope, true)
        case ast.BoolOp(values=[*_given, otherwise]):
            return _text(otherwise, scope, true)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return (_text(left, scope, true) or "") + (_text(right, scope, true) or "")
        case ast.Name(id=name) if name in scope.names:
            return _text(scope.names[name], scope, true)
        case ast.Subscript(slice=ast.Constant(value=str())):
            return f"{{{_word(node)}}}"
        case ast.Call(func=ast.Attribute(value=value, attr="format"), keywords=keywords):
            text = _text(value, scope, true)
            for keyword in keywords if text else ():
                filled = _text(keyword.value, scope, true) or f"{{{keyword.arg}}}"
                text = str(text).replace(f"{{{keyword.arg}}}", filled)
            return text
    return None


def _word(node: ast.expr) -> str:
    """The name of what is filled in."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
        case ast.BoolOp(values=[first, *_rest]):
            return _word(first)
        case ast.Call(args=[first, *_rest]):
            return _word(first)
    return "…"


def _variants(
    given: Mapping[str, ast.expr], scope: _Scope, cure: ast.expr | None
) -> Iterator[dict[str, str]]:
    """Kind, cause and remedy as texts, and by what it is cured, once for each combination of conditions."""
    tests = sorted(
        set().union(*(_tests(node, scope) for node in (*given.values(), *([cure] if cure else ()))))
    )
    for answers in product((True, False), repeat=len(tests)):
        true = dict(zip(tests, answers, strict=True))
        texts = {name: _text(node, scope, true) for name, node in given.items()}
        if texts.get("kind"):
            yield {name: text or "" for name, text in texts.items()} | {"by": cure_of(cure, true)}


def _assigned(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """What a block assigns to attributes called like the arguments of a finding."""
    for statement in body:
        if not isinstance(statement, ast.Assign):
            continue
        target, value = statement.targets[0], statement.value
        if isinstance(value, ast.BoolOp):
            value = value.values[-1]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        else:
            pairs = [(target, value)]
        for item, expression in pairs:
            name = (
                item.attr
                if isinstance(item, ast.Attribute)
                else item.id
                if isinstance(item, ast.Name)
                else ""
            )
            # Handed on from where it was found out.
            handed = isinstance(expression, ast.Name) and expression.id in (*FOUND, "cure")
            if name in (*FOUND, "cure") and not handed:
                yield name, expression


def _part(call: ast.Call, scope: _Scope) -> str:
    """The part that a verdict is about."""
    if isinstance(call.func, ast.Name) and call.func.id == "Verdict" and call.args:
        return (_text(call.args[0], scope, {}) or "").partition("{")[0].strip()
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    return (_text(given["name"], scope, {}) or "") if "name" in given else ""


def _calls(function: ast.AST, scope: _Scope, checks: tuple[str, ...]) -> Iterator[Kind]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            given = {str(keyword.arg): keyword.value for keyword in node.keywords if keyword.arg in FOUND}
            cures = {keyword.arg: keyword.value for keyword in node.keywords}
            named = node.func.id if isinstance(node.func, ast.Name) else ""
            if named == "Problem" and node.args:
                given["kind"] = node.args[0]
            if named.endswith("Error") and node.args:
                given["cause"] = node.args[0]
            if "kind" in given and "cause" in given:
                for found in _variants(given, scope, cures.get("cure")):
                    # What passes on the words of a program says nothing of its own.
                    if named.endswith("Error") and not found["cause"]:
                        continue
                    remedy, part = found.get("remedy", ""), _part(node, scope)
                    yield Kind(found["kind"], found["cause"], remedy, checks, part, found["by"])
        for body in (getattr(node, name, None) for name in ("body", "orelse")):
            if isinstance(body, list) and set(FOUND) <= (given := dict(_assigned(body))).keys():
                cure = given.pop("cure", None)
                for found in _variants(given, scope, cure):
                    yield Kind(found["kind"], found["cause"], found["remedy"], checks, by=found["by"])


def _of_file(path: Path, checks: tuple[str, ...]) -> Iterator[Kind]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    beside = [
        str(node.module).replace(".", "/")
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
    ]
    siblings = [ast.parse((path.parent / f"{name}.py").read_text(encoding="utf-8")) for name in beside]
    module = {
        node.targets[0].id: node.value
        for source in (*siblings, tree)
        for node in source.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for top in tree.body:
        local = {
            node.targets[0].id: node.value
            for node in ast.walk(top)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        yield from _calls(top, _Scope({**module, **local}), checks)


def _host_files() -> list[Path]:
    """The modules of _host that checks import, whose errors they pass on."""
    names: set[str] = set()
    for path in (UTILS / "_verify").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("_host."):
                names.add(str(node.module).removeprefix("_host."))
    return [UTILS / "_host" / f"{name}.py" for name in sorted(names | {"commands", "command_stream"})]


def kinds() -> list[Kind]:
    """All of them, each once, by name."""
    found: dict[Kind, None] = {}
    others = [
        UTILS / "_backup" / "restic.py",
        UTILS / "_database" / "login.py",
        UTILS / "_services" / "diagnosis.py",
    ]
    for path in [*sorted((UTILS / "_verify").rglob("*.py")), *others]:
        name = path.relative_to(UTILS).as_posix()
        places = PLACES.get(name) or ((path.stem,) if path.stem in CHECKS else ())
        if places:
            for item in _of_file(path, places):
                found[replace(item, checks=KINDS.get(item.kind, item.checks))] = None
    for path in _host_files():
        found |= dict.fromkeys(_of_file(path, (HOST,)))
    for kind, (cause, remedy) in REASONS.items():
        found[Kind(kind, cause, remedy, (HTTP,))] = None
    for kind, cure in MANAGER_CURES.items():
        for item in [item for item in found if item.kind == kind]:
            del found[item]
            found[replace(item, by=shown(cure))] = None
    # What passes on an error as it is has no kind of its own.
    own = [item for item in found if not (item.kind.startswith("{") and item.kind.endswith("}"))]
    return sorted(own, key=lambda item: (item.kind, item.checks, item.cause))

"""No way to a user's files but the one: the code of command, checks and services is walked.

What looks at a path itself is listed here with the reason why that path is none of the application's user's,
or why whoever looks is that user already.
"""

from __future__ import annotations

import ast
from pathlib import Path

PLUGINS = Path(__file__).parents[5] / "plugins"
METHODS = frozenset(
    {
        "chmod", "exists", "glob", "is_dir", "is_file", "is_symlink", "iterdir", "lstat", "mkdir", "open",
        "read_bytes", "read_text", "readlink", "rename", "resolve", "rglob", "rmdir", "scandir",
        "stat", "statvfs", "symlink_to", "touch", "unlink", "write_bytes", "write_text", "isdir",
        "listdir", "chown", "access",
    }
)  # fmt: skip
WALKED = ("module_utils/_command", "module_utils/_verify", "module_utils/_services")
FILES = (
    "module_utils/_application/installation.py",
    "module_utils/_database/query.py",
    "module_utils/_database/question.py",
)
MODULES = ("verify", "database_query", "services", "services_info", "service_logs")
ALLOWED = {
    # Root's own directories.
    "module_utils/_command/archive.py": "the program and its configuration, in root's directories",
    "module_utils/_command/installation.py": "the same, while they are installed",
    "module_utils/_command/common.py:load_configuration": "root's configuration, whose owner is looked at",
    "module_utils/_command/common.py:find_readers": "root's configuration",
    "module_utils/_command/common.py:become": "after the process has become the user",
    "module_utils/_command/main.py:main": "/dev/null",
    "module_utils/_command/repair_actions.py:_close_settings": "after the process has become the user",
    # run_suite has become the user before a check runs.
    "module_utils/_verify/certificate_renewal.py:_log": "root; certbot's log, in a directory of root's",
    "module_utils/_verify/checks/host.py:_file_systems": "as the user; file systems",
    "module_utils/_verify/checks/host.py:run": "as the user; /run",
    "module_utils/_verify/host_account.py:judge_journal": "as the user; /run/systemd/journal",
    "module_utils/_verify/host_ways.py:closed_directory": "in what files.look does, as the user",
    "module_utils/_verify/host_ways.py:ways": "as the user; /run/systemd",
    "module_utils/_verify/unit_process.py:open_files": "as the user; /proc",
    "module_utils/_verify/sandbox.py:renewed_buses": "after the process has become the user",
    "module_utils/_verify/release_files.py:_interpreter": "in what files.look does, as the user",
    "module_utils/_verify/release_files.py:judge_release": "in what files.look does, as the user",
    "module_utils/_verify/checks/gateway_door.py:greet": "a connection",
    "module_utils/_verify/checks/database.py:_judge": "as the user; the file system of the database",
}


def looks(path: Path) -> list[tuple[str, int, str]]:
    found = []

    def visit(node: ast.AST, place: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = place
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and not place:
                inner = child.name
            if isinstance(child, ast.Call):
                function = child.func
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                through = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
                if name in METHODS and not through.endswith(("files", "re", "redis")):
                    found.append((place or inner, child.lineno, ast.unparse(child)))
            visit(child, inner)

    visit(ast.parse(path.read_text(encoding="utf-8")), "")
    return found


def test_whatever_looks_at_a_path_goes_through_the_border() -> None:
    paths = [path for name in WALKED for path in (PLUGINS / name).rglob("*.py")]
    paths += [PLUGINS / name for name in FILES]
    paths += [PLUGINS / "modules" / f"{name}.py" for name in MODULES]
    assert len(paths) > 40
    used, wrong = set(), []
    for path in paths:
        relative = str(path.relative_to(PLUGINS))
        for place, line, text in looks(path):
            key = next((key for key in (relative, f"{relative}:{place}") if key in ALLOWED), None)
            if key is None:
                wrong.append(f"{relative}:{line} ({place}): {text}")
            else:
                used.add(key)
    assert not wrong, "go through Installation.files or UserFiles:\n" + "\n".join(wrong)
    assert used == set(ALLOWED), "what is allowed here is no longer done"


def test_the_walk_sees(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(
        "def f(root):\n    def g():\n        return (root / '.env').read_text()\n    return g, open(root)\n"
    )
    assert [(place, line) for place, line, _text in looks(path)] == [("f", 3), ("f", 4)]


# --- within bounds ---

READS = frozenset({"read_text", "read_bytes"})
READERS = ("_adoption", "_application", "_database", "_gateway", "_host", "_release", "_services", "_verify")
# What a user cannot put a pipe, a device or a file without end in the place of.
NOT_A_USERS = {
    "_adoption/registry.py": "root's own directory",
    "_host/facts.py": "/etc and /proc/sys",
    "_host/proc_files.py": "/proc",
    "_host/unix_sockets.py": "/proc/net",
    "_host/answering.py": "/proc",
    "_host/net_sockets.py": "/proc/net",
    "_release/history.py": "/proc",
}


def test_what_a_user_can_replace_is_read_within_bounds() -> None:
    used, wrong = set(), []
    for path in (path for name in READERS for path in (PLUGINS / "module_utils" / name).rglob("*.py")):
        relative = str(path.relative_to(PLUGINS / "module_utils"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr not in READS or relative == "_host/files.py":
                continue
            used.add(relative)
            if relative not in NOT_A_USERS:
                wrong.append(f"{relative}:{node.lineno}: {ast.unparse(node)}")
    assert not wrong, "read it with reading.read_regular:\n" + "\n".join(wrong)
    assert used == set(NOT_A_USERS), "what is allowed here is no longer done"

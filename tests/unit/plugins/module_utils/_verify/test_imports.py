"""What a check does not need is not loaded: the host command's runner runs each in a process of its own."""

from __future__ import annotations

import importlib
import os
import pwd
import subprocess
import sys

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import root_side
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS
from source_tree import closure

PACKAGE = "ansible_collections.openclaw.mission_control.plugins.module_utils"
HTTP = set(CHECKS) - {"service", "log", "database", "queue", "host", "backup"}
# What takes time or memory to load, and by whom it is needed.
NEEDED = {
    "requests": HTTP,
    "urllib3": HTTP,
    # psycopg2 brings it along.
    "ssl": HTTP | {"database"},
    "psycopg2": {"database"},
    "html.parser": {"frontend", "configuration"},
    f"{PACKAGE}._http": HTTP,
    f"{PACKAGE}._verify.http_context": HTTP,
    f"{PACKAGE}._verify.redis": {"queue"},
    f"{PACKAGE}._application.log_format": {"log"},
    f"{PACKAGE}._host.journal": {"log"},
    # Never: not in a timer's run.
    "ansible": set(),
    "xml": set(),
    "asyncio": set(),
    f"{PACKAGE}._verify.module": set(),
    "ansible_collections.openclaw.mission_control.plugins.plugin_utils": set(),
}
PROGRAM = f"""
import sys
from {PACKAGE}._verify.standalone import run
report = run({{
    "options": {{"url": "http://127.0.0.1:1", "user": sys.argv[2], "timeout": 2}},
    "check_options": {{
        "database": {{"database_url": "postgresql://nobody@127.0.0.1:1/none"}},
        "queue": {{"redis_url": "redis://127.0.0.1:1/0"}},
        "log": {{"since": "1s"}},
    }} if sys.argv[1] in ("database", "queue", "log") else {{}},
}}, [sys.argv[1]], where="here")
print(" ".join(name for name in sys.modules if sys.modules[name] is not None))
"""


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_loads_what_it_needs(check: str) -> None:
    user = pwd.getpwuid(os.geteuid()).pw_name
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, check, user], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(done.stdout.split())
    assert f"{PACKAGE}._verify.checks.{check}" in loaded
    assert [name for name, checks in NEEDED.items() if check not in checks and name in loaded] == []
    if check in HTTP:
        assert "requests" in loaded
    if check == "database":
        assert "psycopg2" in loaded


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_that_needs_root_says_so(check: str) -> None:
    """Unmarked it would see only what the application's user may see, and say nothing of the rest."""
    run = importlib.import_module(f"{PACKAGE}._verify.checks.{check}").run
    asks = "module_utils._host.root_questions" in closure(f"module_utils._verify.checks.{check}")
    assert (getattr(run, "questions", None) is root_side) == asks


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_that_reads_the_journal_has_root_read_it(check: str) -> None:
    """The user himself may not see all lines of his own units."""
    brought = closure(f"module_utils._verify.checks.{check}")
    reads = any(f"module_utils._host.{reader}" in brought for reader in ("journal", "journal_tail"))
    assert ("module_utils._host.journal_from_root" in brought) == reads

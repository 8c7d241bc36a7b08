"""Why commands fail: what the programs really say, with the one remedy that fits."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import build_obstacles, obstacles
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.builds import BuildCommands
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.clean_environment import (
    build_environment,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    MAKE_ROOM,
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import Commands

PIP_NONE = """WARNING: Location 'file:///x/' is ignored: it is neither a file nor a directory.
ERROR: Could not find a version that satisfies the requirement uv==0.13 (from versions: none)
ERROR: No matching distribution found for uv==0.13"""
UV_401 = """error: No solution found when resolving dependencies
  cause: Because nothing was not found in the package registry and you require nothing==1, we can conclude \
that your requirements are unsatisfiable.

hint: An index URL (http://127.0.0.1:8201/simple) could not be queried due to a lack of valid authentication \
credentials (401 Unauthorized)"""
UV_PROXY = """error: Failed to fetch: https://no.such.invalid/simple/nothing/
  cause: error sending request for url (https://no.such.invalid/simple/nothing/)
  cause: client error (Connect)
  cause: tunnel error: proxy authorization required"""
NPM_404 = """npm error code E404
npm error 404 Not Found - GET https://r/no-such-package
npm error 404
npm error 404  The requested resource 'no-such@1.0' could not be found or you do not have"""


@pytest.mark.parametrize(
    ("said", "told", "cure"),
    [
        ("npm error code EUSAGE\nnpm error\nnpm error Usage:", "out of step", build_obstacles.LOCK_FILE),
        # Its code counts before other programs' words.
        (
            "npm warn Could not resolve dependency\nnpm error code ENOMEM\nnpm error spawn ENOMEM",
            "Memory ran out: npm error spawn ENOMEM.",
            obstacles.MEMORY,
        ),
        (NPM_404, "GET https://r/no-such-package.", build_obstacles.VERSION),
        (
            "npm error code ETARGET\nnpm error notarget No matching version found a@9.",
            "a@9.",
            build_obstacles.VERSION,
        ),
        (
            "npm error code E401\nnpm error 401 Unauthorized - GET http://127.0.0.1:8111/left-pad",
            "401 Unauthorized",
            build_obstacles.LOGIN,
        ),
        (
            "npm error code E503\nnpm error 503 Service Unavailable - GET http://r",
            "in trouble",
            build_obstacles.LATER,
        ),
        (
            "npm error code EINTEGRITY\nnpm error sha512-x integrity checksum failed",
            "locked",
            build_obstacles.DAMAGED,
        ),
        ("npm error code EAI_AGAIN\nnpm error network request to http://r/a failed", "not reach", ""),
        (
            "npm error code EACCES\nnpm error EACCES: permission denied, mkdir '/x/y'",
            "denied it",
            obstacles.RIGHTS,
        ),
        (
            "npm error code CERT_HAS_EXPIRED\nnpm error https://r/a failed, certificate has expired",
            "not valid at this time",
            build_obstacles.CLOCK,
        ),
        (
            "Next.js build worker exited with code: null and signal: SIGKILL",
            "Memory ran out",
            obstacles.MEMORY,
        ),
        (
            "FATAL ERROR: Ineffective mark-compacts near limit - JavaScript heap out of memory",
            "Memory ran out",
            obstacles.MEMORY,
        ),
        ("OSError: [Errno 28] No space left on device", "The disk is full.", MAKE_ROOM),
        (
            "error: failed to create directory `/root/x`: Permission denied (os error 13)",
            "denied",
            obstacles.RIGHTS,
        ),
        ("OSError: [Errno 30] Read-only file system: '/x'", "cannot be written", "Mount it writable"),
        (UV_401, "401 Unauthorized", build_obstacles.LOGIN),
        (
            UV_PROXY,
            "The proxy refuses it: tunnel error: proxy authorization required.",
            build_obstacles.PROXY,
        ),
        (
            "error: Failed to fetch: `http://r/`\n  cause: HTTP status client error (404 Not Found)",
            "The server does not have it",
            build_obstacles.VERSION,
        ),
        ("  cause: operation timed out", "does not reach", ""),
        ("error: Hash mismatch for `six==1.16`", "locked", build_obstacles.DAMAGED),
        (PIP_NONE, "offers no version of it", build_obstacles.NETWORK),
        (
            "ERROR: Could not find a version that satisfies x==9 (from versions: 1)\n"
            "ERROR: No matching distribution found for x==9",
            "The server does not have it",
            build_obstacles.VERSION,
        ),
        ("ERROR: Can not combine '--user' and '--target'", "'--user' and '--target'.", ""),
        (
            "fatal: 'http://g/x/': The requested URL returned error: 403",
            "login",
            build_obstacles.LOGIN,
        ),
        (
            "fatal: 'https://g/': CONNECT tunnel failed, response 407",
            "proxy",
            build_obstacles.PROXY,
        ),
        (
            "git@g: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            "let the application's user in by ssh",
            "known_hosts",
        ),
        ("Traceback (most recent call last):\nKeyError: 'x'", "KeyError: 'x'.", ""),
        ("./page.tsx:3:1\nType error: no such thing", "", ""),
    ],
)
def test_the_reason_of_a_failure_and_its_remedy(said: str, told: str, cure: str) -> None:
    reason = build_obstacles.explain(said.splitlines())
    assert told in reason.sentence, reason
    assert cure in reason.cure and bool(cure) == bool(reason.cure), reason


def test_every_code_of_npm_means_one_thing() -> None:
    codes = [code for row in build_obstacles.TABLE for code in row.codes]
    assert len(codes) == len(set(codes)) > 30
    assert [row.name for row in build_obstacles.TABLE if not row.says] == []


def test_a_program_on_a_file_system_without_programs_is_named() -> None:
    said = "error: Failed to spawn: `/home/x/.venv/bin/python`\n  cause: Permission denied (os error 13)"
    line = "sh: 1: cannot run '/home/x/bin/node': Permission denied"
    reason = build_obstacles.explain([line], noexec=lambda path: path.startswith("/home"))
    assert "/home/x/bin/node lies on a file system that is mounted noexec" in reason.sentence
    assert reason.cure == obstacles.EXECUTABLE
    assert build_obstacles.explain(said.splitlines(), noexec=lambda _path: False).cure == obstacles.RIGHTS


def test_a_mount_without_programs_is_seen() -> None:
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    # Of several on one place the last one is seen.
    seen = {place: "noexec" in options.split(",") for _device, place, _kind, options, *_more in mounts}
    assert seen["/"] is obstacles.mounted_noexec("/no/such/place")
    told = {place: obstacles.mounted_noexec(f"{place}/not/there") for place in seen if Path(place).is_dir()}
    assert told == {place: seen[place] for place in told}


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (signal.SIGKILL, "memory"),
        (signal.SIGSEGV, "crashed"),
        (signal.SIGILL, "processor"),
        (signal.SIGTERM, "run it again"),
    ],
)
def test_a_signal_has_its_own_remedy(tmp_path: Path, number: int, cure: str) -> None:
    commands = Commands(tmp_path / "log", {"PATH": "/usr/bin:/bin"})
    with pytest.raises(DeploymentError) as error:
        commands(["sh", "-c", f"kill -{int(number)} $$"], what="Building", remedy="Ask for more room.")
    assert cure in error.value.remedy and "Ask" not in error.value.remedy


def test_the_lines_that_tell_the_reason_are_shown_though_many_follow(tmp_path: Path) -> None:
    commands = BuildCommands(tmp_path / "log", {"PATH": "/usr/bin:/bin"})
    with pytest.raises(DeploymentError) as error:
        commands(["sh", "-c", "echo npm error code EUSAGE; seq 100; exit 1"], what="Installing")
    assert error.value.details["output"][0] == "npm error code EUSAGE"
    assert len(error.value.details["output"]) == 30


def test_settings_of_the_user_do_not_reach_builds(tmp_path: Path) -> None:
    for name, text in {
        ".npmrc": "omit=dev\n",
        ".gitconfig": "[user]\n name = somebody\n",
        ".config/pip/pip.conf": "[install]\nuser = true\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    account = Account("someone", os.geteuid(), os.getegid(), str(tmp_path))
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    seen = {}
    for name, environment in (("theirs", plain), ("ours", {**plain, **build_environment(account)})):
        commands = Commands(tmp_path / "log", environment)
        seen[name] = {
            "git": commands(["sh", "-c", "git config user.name || true"], what="Asking Git").strip(),
            "pip": commands(["python3", "-m", "pip", "config", "get", "install.user"], what="Asking pip")
            if name == "theirs"
            else commands(["python3", "-m", "pip", "config", "list"], what="Asking pip"),
        }
    assert seen["theirs"]["git"] == "somebody" and seen["theirs"]["pip"].strip() == "true"
    assert seen["ours"]["git"] == "" and "install.user" not in seen["ours"]["pip"]
    assert environment["npm_config_userconfig"] != str(tmp_path / ".npmrc")

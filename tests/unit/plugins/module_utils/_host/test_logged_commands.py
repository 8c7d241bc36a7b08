"""Commands with a log, work as another user, the lock."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import (
    build_obstacles,
    clean_environment,
    locks,
    logged_commands,
    privileges,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.builds import BuildCommands
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    MAKE_ROOM,
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import Commands
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def commands(tmp_path: Path) -> BuildCommands:
    return BuildCommands(tmp_path / "log" / "test.log", ENVIRONMENT, redactor=Redactor(["hunter2hunter2"]))


def test_output_is_returned_and_logged_without_secrets(commands: BuildCommands) -> None:
    output = commands(["sh", "-c", "echo to out; echo hunter2hunter2 >&2"], what="Talking")
    assert output.splitlines() == ["to out", "hunter2hunter2"]
    log = commands.log.read_text()
    assert "Talking: sh -c" in log and "to out" in log
    assert "hunter2" not in log
    assert commands.log.stat().st_mode & 0o777 == 0o640


def test_temporary_files_are_the_users_own(tmp_path: Path) -> None:
    account = Account("someone", os.geteuid(), os.getegid(), str(tmp_path / "home"))
    environment = clean_environment.application_environment(account)
    assert environment["NODE_DISABLE_COMPILE_CACHE"] == "1" and "NODE_COMPILE_CACHE" not in environment
    assert not (tmp_path / "home").exists()
    commands = Commands(tmp_path / "log" / "test.log", environment, redactor=Redactor())
    place = Path(commands(["mktemp", "-d"], what="Making a directory").strip()).parent
    assert place.is_relative_to(account.home) and place.stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    commands.environment["TMPDIR"] = str(tmp_path / "file/tmp")
    assert commands(["printenv", "HOME"], what="Looking").strip() == account.home


def test_nothing_but_the_named_environment_reaches_a_command(
    commands: BuildCommands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAK", "x")
    assert set(commands(["env"], what="Looking", environment={"MORE": "y"}).split()) == {
        "PATH=/usr/bin:/bin",
        "LANG=C.UTF-8",
        "MORE=y",
    }


def test_a_failure_says_what_how_and_shows_the_end_of_the_output(commands: BuildCommands) -> None:
    with pytest.raises(DeploymentError) as error:
        commands(["sh", "-c", "seq 100; echo hunter2hunter2; exit 7"], what="Counting", remedy="Count less.")
    result = error.value.result()
    assert result["msg"] == "Counting failed: sh ended with status 7. Count less."
    assert result["output"][-2:] == ["100", "********"]
    assert len(result["output"]) == logged_commands.TAIL_LINES
    assert (result["rc"], result["log"]) == (7, str(commands.log))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "error: failed to write: No space left on device (os error 28)",
            f"The disk is full. {MAKE_ROOM}",
        ),
        ("npm error code ENOSPC", f"The disk is full. {MAKE_ROOM}"),
        (
            "  dns error: failed to lookup address information: Temporary failure in name resolution",
            "This host does not reach what it has to download: dns error: failed to lookup address "
            "information: Temporary failure in name resolution. See the proxy.",
        ),
        ("npm error code EAI_AGAIN", "download: npm error code EAI_AGAIN. See the proxy."),
        (
            "error: Failed to fetch: https://i/six/\n  cause: error sending request for url (https://i/six/)\n"
            "  cause: client error (Connect)\n  cause: invalid peer certificate: UnknownIssuer\n\nhint: Try",
            "This host does not trust the server that it has to download from: invalid peer certificate: "
            f"UnknownIssuer. {build_obstacles.TRUST}",
        ),
        (
            "error: Request failed after 3 retries in 6.2s\n  Caused by: error sending request for url (http://i/)\n"
            "  Caused by: client error (Connect)\n  Caused by: something new",
            "This host does not reach what it has to download: something new. See the proxy.",
        ),
        (
            "npm error code DEPTH_ZERO_SELF_SIGNED_CERT\nnpm error errno DEPTH_ZERO_SELF_SIGNED_CERT\n"
            "npm error request to https://i/six failed, reason: self-signed certificate",
            f"failed, reason: self-signed certificate. {build_obstacles.TRUST}",
        ),
        (
            "fatal: unable to access 'https://g/x/': server certificate verification failed. CAfile: none",
            f"server certificate verification failed. CAfile: none. {build_obstacles.TRUST}",
        ),
        (
            "fatal: unable to access 'https://g.test/x/': Could not resolve host: g.test",
            "This host does not reach what it has to download: "
            "fatal: unable to access 'https://g.test/x/': Could not resolve host: g.test. See the proxy.",
        ),
        (
            "fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote.",
            "sh ended with status 128. fatal: '/x' does not appear to be a git repository. See the proxy.",
        ),
        ("SyntaxError", "sh ended with status 128. See the proxy."),
    ],
)
def test_what_stood_in_the_way_is_told(commands: BuildCommands, said: str, told: str) -> None:
    with pytest.raises(DeploymentError) as error:
        commands(
            ["sh", "-c", 'echo "$0"; echo done; exit 128', said], what="Installing", remedy="See the proxy."
        )
    assert error.value.result()["msg"].endswith(told)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("pg_dump: error: could not write: No space left on device", f"The disk is full. {MAKE_ROOM}"),
        # What builds would take for a registry that is not reached.
        ("psql: error: connection to server failed: Connection refused", "status 1. See the server."),
    ],
)
def test_what_builds_nothing_is_not_told_of_downloads(tmp_path: Path, said: str, told: str) -> None:
    with pytest.raises(DeploymentError) as error:
        Commands(tmp_path / "log", ENVIRONMENT)(
            ["sh", "-c", 'echo "$0"; exit 1', said], what="Asking", remedy="See the server."
        )
    assert error.value.result()["msg"].endswith(told)


def test_a_command_that_is_missing_is_named(commands: BuildCommands) -> None:
    with pytest.raises(DeploymentError, match=r"Working: cannot run /no/such/program: No such file") as error:
        commands(["/no/such/program"], what="Working")
    assert error.value.kind == "no_such_command"


def test_a_kill_by_the_kernel_hints_at_memory(commands: BuildCommands) -> None:
    with pytest.raises(DeploymentError, match=r"killed by SIGKILL.*memory"):
        try:
            commands(["sh", "-c", "kill -9 $$"], what="Building")
        except DeploymentError as error:
            raise DeploymentError(error.result()["msg"]) from None


def test_a_command_that_takes_too_long_is_ended_with_its_children(
    commands: BuildCommands, tmp_path: Path
) -> None:
    started = time.monotonic()
    with pytest.raises(DeploymentError, match=r"did not end within 0\.5 s"):
        commands(["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/child; wait"], what="Sleeping", timeout=0.5)
    assert time.monotonic() - started < 10
    child = int((tmp_path / "child").read_text())
    assert not _alive(child)


def _alive(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state in "ZX":
            return False
        time.sleep(0.05)
    return True


def test_the_first_failure_ends_what_runs_beside_it(commands: BuildCommands) -> None:
    started = time.monotonic()
    with pytest.raises(DeploymentError, match="Failing failed: false ended with status 1"):
        commands.side_by_side(
            lambda: commands(["sleep", "60"], what="Sleeping"),
            lambda: commands(["false"], what="Failing"),
        )
    assert time.monotonic() - started < 10


def test_side_by_side_returns_every_answer(commands: BuildCommands) -> None:
    assert commands.side_by_side(lambda: 1, lambda: "two") == [1, "two"]


def test_a_bug_beside_a_command_is_not_swallowed(commands: BuildCommands) -> None:
    with pytest.raises(ZeroDivisionError):
        commands.side_by_side(lambda: commands(["sleep", "60"], what="Sleeping"), lambda: 1 / 0)


def test_the_lock_keeps_two_apart_and_says_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    clock = iter(range(100))
    with (
        locks.deployment_lock(path, purpose="the first", timeout=0),
        pytest.raises(DeploymentError, match=rf"the first, process {os.getpid()}, since 20") as error,
        locks.deployment_lock(
            path, purpose="the second", timeout=3, clock=lambda: next(clock), sleep=lambda _seconds: None
        ),
    ):
        pass
    assert error.value.kind == "locked"
    with locks.deployment_lock(path, purpose="the third", timeout=0):
        pass


def test_the_lock_of_a_killed_run_ends_with_the_last_of_its_commands(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    program = (
        "import sys, os, subprocess\n"
        "from pathlib import Path\n"
        "from ansible_collections.openclaw.mission_control.plugins.module_utils._host import locks\n"
        f"with locks.deployment_lock(Path({str(path)!r}), purpose='killed', timeout=0) as lock:\n"
        f"    child = subprocess.Popen(['sleep', '60'], pass_fds=[lock], start_new_session=True)\n"
        "    print(child.pid, flush=True)\n"
        "    child.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        holder.kill()
        holder.wait()
        with (
            pytest.raises(DeploymentError, match="killed"),
            locks.deployment_lock(path, purpose="x", timeout=0),
        ):
            pass
        os.kill(child, signal.SIGKILL)
    with locks.deployment_lock(path, purpose="x", timeout=5):
        pass


@as_root
def test_work_is_done_as_the_user_for_good(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    def work(account: Account) -> dict[str, object]:
        try:
            os.setuid(0)
            returned = True
        except PermissionError:
            returned = False
        return {
            "uid": os.getuid(),
            "groups": os.getgroups(),
            "home": os.environ["HOME"],
            "root_again": returned,
        }

    answer = privileges.as_user("nobody", work)
    nobody = pwd.getpwnam("nobody")
    assert answer == {
        "uid": nobody.pw_uid,
        "groups": [nobody.pw_gid],
        "home": nobody.pw_dir,
        "root_again": False,
    }
    assert os.getuid() == 0


@as_root
def test_errors_come_back_from_the_user(tmp_path: Path) -> None:
    def refuse(_account: Account) -> None:
        raise DeploymentError("no", kind="odd", remedy="Do.", details={"output": ["line"]})

    with pytest.raises(DeploymentError) as refused:
        privileges.as_user("nobody", refuse)
    assert refused.value.result() == {"msg": "no Do.", "kind": "odd", "remedy": "Do.", "output": ["line"]}

    with pytest.raises(DeploymentError, match=r"Permission denied \(/root/"):
        privileges.as_user("nobody", lambda _account: Path("/root/x").write_text("x"))
    with pytest.raises(DeploymentError, match="Unexpected ZeroDivisionError") as bug:
        privileges.as_user("nobody", lambda _account: 1 / 0)
    assert "Traceback" in bug.value.details["exception"]
    with pytest.raises(DeploymentError, match="killed before it could answer"):
        privileges.as_user("nobody", lambda _account: os.kill(os.getpid(), signal.SIGKILL))


def test_as_oneself_no_process_is_made() -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert privileges.as_user(me, lambda _account: os.getpid()) == os.getpid()


def test_an_unknown_user_is_told() -> None:
    with pytest.raises(HostError, match="no user nosuchuser"):
        privileges.as_user("nosuchuser", lambda _account: None)


def test_a_line_without_end_takes_no_memory(commands: BuildCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose program it is may have it say anything."""
    monkeypatch.setattr(logged_commands, "MOST_SAID", 4 << 20)
    started = time.monotonic()
    endless = ["python3", "-c", "import sys\nwhile True: sys.stdout.write('x' * 65536)"]
    with pytest.raises(DeploymentError, match="python3 said more than 4 MB") as told:
        commands(endless, what="Building", timeout=60)
    assert told.value.kind == "too_much_output" and time.monotonic() - started < 30

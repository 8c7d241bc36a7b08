"""Commands with real processes: what they say, how long they may take, and how they are ended."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import commands
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError


def python(program: str, **given: object) -> commands.Completed:
    return commands.run([sys.executable, "-c", program], **given)  # type: ignore[arg-type]


def test_both_outputs_and_the_status() -> None:
    done = python("import sys; print('one\\r\\ntwo'); sys.stderr.buffer.write(b'\\xff'); sys.exit(3)")
    assert (done.returncode, done.stdout, done.stderr) == (3, "one\ntwo\n", "�")


def test_what_it_is_given_may_be_long_or_unwanted() -> None:
    text = "x" * 3_000_000
    assert python("import sys; print(len(sys.stdin.read()))", input=text).stdout == "3000000\n"
    assert python("print('no')", input=text).stdout == "no\n"
    echo = "import sys; sys.stdout.write(sys.stdin.read())"
    assert python(echo, input=text).stdout == text


def test_an_endless_output_ends_within_bounds() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(HostError, match="said more than 16 MB") as caught:
        commands.run(["sh", "-c", "exec cat /dev/zero"])
    assert caught.value.kind == "too_much_output"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize("stopped", [False, True])
def test_one_that_does_not_end_is_ended_with_what_it_started(tmp_path: Path, stopped: bool) -> None:
    marker = tmp_path / "children"
    program = f"sleep 600 & echo $! $$ >{marker}; {'kill -STOP $$' if stopped else 'sleep 600'}"
    with pytest.raises(HostError, match=r"did not finish within 3 s") as caught:
        commands.run(["sh", "-c", program], timeout=3)
    assert caught.value.kind == ("stopped" if stopped else "timeout")
    for pid in map(int, marker.read_text().split()):
        for _ in range(100):
            state = Path(f"/proc/{pid}/stat")
            if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
                break
            time.sleep(0.1)
        else:
            raise AssertionError(f"{pid} still runs")


def test_who_was_left_behind_and_holds_the_output_is_not_waited_for(tmp_path: Path) -> None:
    marker = tmp_path / "child"
    done = commands.run(["sh", "-c", f"setsid sleep 600 & echo $! >{marker}; echo said"], timeout=60)
    os.kill(int(marker.read_text()), signal.SIGKILL)
    assert (done.returncode, done.stdout) == (0, "said\n")


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(HostError, match="is not installed"):
        commands.run(["no-such-program-of-ours"])


def test_a_carriage_return_ends_no_line() -> None:
    """Else what a user has named, such as a unit's description, could add lines to an answer."""
    assert python("print('Description=a\\rMainPID=1')").stdout == "Description=a\rMainPID=1\n"

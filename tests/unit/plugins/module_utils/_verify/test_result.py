"""The checks as the action plugin of verify asks for them: out of the installed archive, on stdin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openclaw.mission_control.plugins.action import verify
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import archive as _archive
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import installation
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.verify import MARK
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import (
    verify_specification,
)
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._command_sources import command_sources

DIGEST = _archive.identity(command_sources())
TOKEN = "a-token-that-nobody-may-see-0123456789"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bin") / "mission-control"
    content = _archive.archive(command_sources())
    installation.install(installation.Wanted(str(path), content, 0o755, os.getuid(), os.getgid()))
    return path


def ask(archive: Path, digest: str = DIGEST, program: str = "", **given: Any) -> tuple[int, dict[str, Any]]:
    options = ArgumentSpecValidator(verify_specification()).validate(given).validated_parameters
    asked = {"sources_digest": digest, "options": options, "diff": False}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program or verify.PROGRAM.replace(verify.COMMAND, str(archive))],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert TOKEN not in done.stdout + done.stderr
    told = done.stdout.rpartition(f"\n{MARK}")[2] if MARK in done.stdout else "{}"
    return done.returncode, json.loads(told)


def test_a_check_fails_as_it_does_in_the_module(archive: Path) -> None:
    # Nothing listens on port 1.
    status, result = ask(archive, checks=["health"], url="http://127.0.0.1:1", token=TOKEN)
    assert status == 0 and result["failed"] and result["msg"] == result["summary"]
    (verdict,) = result["verdicts"]
    assert verdict["name"] == "health" and verdict["cause"] and verdict["remedy"]
    assert result["comparison"] is None and result["changed"] is False


def test_what_need_not_fail_the_task(archive: Path) -> None:
    _status, result = ask(archive, checks=["health"], url="http://127.0.0.1:1", fail_on="never")
    assert result["state"] == "fail" and "failed" not in result


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"timeout": 0}, "timeout: 0.0 is too small"),
        ({"checks": ["health"], "skip": ["health"]}, "nothing is left to check"),
        ({"url": "localhost"}, "url: 'localhost' is not a valid http(s) address"),
        ({"successes": 0}, "successes: 0 is too small, it must be 1 or more"),
        ({"health": {"latency_warning": "20:10"}}, "health.latency_warning: '20:10' is not a valid range"),
        ({"service": {"restart_window": "soon"}}, "service.restart_window: 'soon' is not a valid duration"),
        ({"log": {"since": "once"}}, "log.since: 'once' is neither a duration nor a time"),
        ({"baseline": {"a": 1}}, "this is not a report of verify"),
    ],
)
def test_bad_options(archive: Path, given: dict[str, Any], message: str) -> None:
    status, result = ask(archive, **{"checks": ["health"], **given})
    assert status == 0 and result["failed"] and message in result["msg"]


def test_another_version_runs_nothing(archive: Path) -> None:
    assert ask(archive, digest="0" * 64, checks=["health"]) == (3, {})


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to somebody else")
def test_what_others_could_have_written_is_not_run(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mission-control"
    copy.write_bytes(archive.read_bytes())
    copy.chmod(0o775)
    assert ask(copy, checks=["health"]) == (3, {})
    copy.chmod(0o755)
    os.chown(copy, 65534, 65534)
    assert ask(copy, checks=["health"]) == (3, {})
    os.chown(copy, 0, 0)
    assert ask(copy, checks=["health"], url="http://127.0.0.1:1")[0] == 0

"""The action verify_report in a real play."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.reports.names import REPORTS


def report(state: str = "pass") -> dict[str, Any]:
    verdict = {
        "name": "health",
        "state": state,
        "summary": "as it is",
        "cause": "c",
        "remedy": "r",
        "kind": "k",
    }
    return {
        "state": state,
        "summary": "as it is",
        "counts": {"total": 1, state: 1},
        "verdicts": [verdict],
        "root_causes": [] if state == "pass" else [
            {"check": "health", "state": state, "kind": "k", "summary": "s", "cause": "c", "remedy": "r",
             "consequences": []}
        ],
        "host": "mc1",
        "view": "host",
        "begun": "2026-11-24T13:00:00+00:00",
        "duration_ms": 5.0,
        "requests": 3,
    }  # fmt: skip


def play(tmp_path: Path, *reports: dict[str, Any], **arguments: Any) -> tuple[int, str]:
    """A real play with the action, because an action has no life outside of one."""
    arguments = {"results": [*reports, {"skipped": True, "changed": False}], **arguments}
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        json.dumps(
            [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "connection": "local",
                    "tasks": [{"openclaw.mission_control.verify_report": arguments}],
                }
            ]
        )
    )
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0"}
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(playbook)],
        capture_output=True, text=True, check=False, env=environment, cwd=tmp_path,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_table_is_shown_and_reports_are_written(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "reports"
    code, output = play(
        tmp_path,
        report(),
        directory=str(directory),
        formats=list(REPORTS),
    )
    assert code == 0, output
    assert "localhost from the host itself: PASS" in output
    names = sorted(path.name for path in directory.iterdir())
    assert f"Reports: {directory}/localhost.json, {directory}/localhost.xml, {directory}/" in output
    assert names == [
        f"localhost{ending}" for ending in (".html", ".json", ".md", ".nagios", ".prom", ".tap", ".xml")
    ]
    written = json.loads((directory / "localhost.json").read_text())
    assert written["state"] == "pass"
    assert written["started"] == written["views"][0]["started"] == "2026-11-24T13:00:00+00:00"


def test_a_relative_directory_is_where_the_command_was_started(tmp_path: Path) -> None:
    code, output = play(tmp_path, report(), directory="reports", formats=["json"])
    assert code == 0 and (tmp_path / "reports" / "localhost.json").exists()
    assert f"\nReports: {tmp_path}/reports/localhost.json\n" in output
    assert "Reports:" not in play(tmp_path, report())[1]


def test_a_failure_fails_the_play_after_the_reports_are_written(tmp_path: Path) -> None:
    code, output = play(tmp_path, report("fail"), directory=str(tmp_path / "r"), formats=["json"])
    assert code == 2 and (tmp_path / "r" / "localhost.json").exists()
    assert "remedy     r" in output


def test_a_warning_fails_only_when_asked(tmp_path: Path) -> None:
    assert play(tmp_path, report("warn"))[0] == 0
    assert play(tmp_path, report("warn"), fail_on="warn")[0] == 2


def test_a_baseline_on_the_controller(tmp_path: Path) -> None:
    play(tmp_path, report(), directory=str(tmp_path), formats=["json"])
    code, output = play(tmp_path, report("fail"), baseline=str(tmp_path / "localhost.json"))
    assert code == 2 and "ROLLBACK" in output
    code, output = play(tmp_path, report(), baseline=str(tmp_path / "missing.json"))
    assert code == 2 and "baseline:" in output


def test_nothing_to_report(tmp_path: Path) -> None:
    code, output = play(tmp_path)
    assert code == 2 and "none of them has verdicts" in output


def test_reports_are_their_owners_and_move_no_cursor(tmp_path: Path) -> None:
    """Lines of logs stand in them; and the application's user writes what is logged."""
    hostile = report("fail")
    hostile["verdicts"][0]["summary"] = "\x1b]0;owned\x07\x9b31m"
    status, said = play(tmp_path, hostile, directory=str(tmp_path / "out"), formats=["json"], fail_on="never")
    assert status == 0 and "owned" in said
    assert not any(letter in said for letter in "\x1b\x07\x9b")
    path = tmp_path / "out" / "localhost.json"
    assert path.stat().st_mode & 0o777 == 0o600 and path.read_text().isascii()

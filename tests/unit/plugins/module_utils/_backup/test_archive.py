"""The write-ahead log's archive: its settings, and what is said of its failures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import (
    archive,
    point_in_time,
    server,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup.configuration import (
    Configuration,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)

CONFIGURATION = Configuration(
    repository="/var/backups/mission-control",
    host="mc1",
    environment="test",
    user="mission-control",
    root="/srv/root",
    wal=True,
    wal_port=5433,
)
NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (server, archive):
        monkeypatch.setattr(module, "find_account", lambda _name: find_account())


def answering(output: str = "", status: int = 0, complaint: str = "") -> Any:
    def runner(argv: Sequence[str], **_more: Any) -> Completed:
        runner.called.append(list(argv))  # type: ignore[attr-defined]
        return Completed(tuple(argv), status, output, complaint)

    runner.called = []  # type: ignore[attr-defined]
    return runner


def test_the_settings_hold_no_password_of_the_repository() -> None:
    text = archive.settings_text(CONFIGURATION, "keep-this-0123456789\n", "/var/lib/postgresql/17/main")
    assert "repo1-path=/var/backups/mission-control-wal\n" in text and "pg1-port=5433\n" in text
    assert "keep-this" not in text and archive.key_of("keep-this-0123456789") in text


def test_s3(tmp_path: Any) -> None:
    (tmp_path / "credentials.json").write_text(
        json.dumps({"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"})
    )
    there = replace(CONFIGURATION, repository="s3:https://s3.example.com/bucket/path", directory=tmp_path)
    text = archive.settings_text(there, "x", "/data")
    for line in ("type=s3", "s3-bucket=bucket", "path=/path-wal", "s3-endpoint=s3.example.com", "s3-key=id"):
        assert f"repo1-{line}\n" in text
    with pytest.raises(DeploymentError, match="not with rest: as repository"):
        archive.settings_text(replace(CONFIGURATION, repository="rest:https://store/x"), "x", "/data")


@pytest.mark.parametrize(
    ("age", "kind"), [(3600.0, "diff"), (8 * 86400.0, "full"), (None, "full")], ids=["fresh", "old", "none"]
)
def test_a_full_one_each_week(age: float | None, kind: str) -> None:
    moment = int(NOW - (age or 0))
    backups = [] if age is None else [{"type": "full", "timestamp": {"start": moment - 5, "stop": moment}}]
    runner = answering(json.dumps([{"backup": backups}]))
    assert archive.back_up(NOW, runner) == {"type": kind}
    assert f"--type={kind}" in runner.called[-1]


def test_a_failure_is_told_without_its_log_s_beginning() -> None:
    said = "2026-11-29 19:00:00.123 P00  ERROR: [041]: unable to open file '/x': [13] Permission denied"
    with pytest.raises(server.ArchiveError, match=r"^Archiving failed: ERROR: \[041\]: unable to open"):
        archive.pgbackrest("check", what="Archiving", runner=answering(status=41, complaint=said))


def test_the_cluster_is_that_of_the_port() -> None:
    listed = "16 main 5432 online postgres /data/16 /log\n17 main 5433 online postgres /data/17 /log\n"
    assert archive.cluster(CONFIGURATION, answering(listed))["data"] == "/data/17"
    with pytest.raises(DeploymentError, match="No cluster of PostgreSQL listens on port 5433"):
        archive.cluster(CONFIGURATION, answering("16 main 5432 online postgres /data/16 /log\n"))


def test_how_the_archiving_goes() -> None:
    assert server.standing(CONFIGURATION, answering("1700000000|\n")) == {
        "archived": 1700000000,
        "failed": None,
    }
    assert server.standing(replace(CONFIGURATION, wal=False), answering()) is None


TAKEN = [{"type": "full", "start": NOW - 7200, "stop": NOW - 7100}]


@pytest.mark.parametrize(
    ("given", "taken", "says"),
    [
        ("@1900000000", TAKEN, "has not come yet"),
        ("@1799990000", TAKEN, "before what the archived write-ahead log reaches back to"),
        ("1h ago", [], "There is no backup of the server's files"),
        ("some day", TAKEN, "is not a valid time"),
    ],
)
def test_a_time_that_is_out_of_reach(given: str, taken: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(DeploymentError, match=says):
        point_in_time.wanted_moment(given, NOW, taken)


def test_a_time_within_reach() -> None:
    assert point_in_time.wanted_moment("1h ago", NOW, TAKEN) == NOW - 3600

"""Since when what is logged says how it is now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.unit_status import (
    UnitStatus,
    unit_status,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import log_past

BACKEND, FRONTEND = "mission-control-backend.service", "mission-control-frontend.service"


def unit(name: str, active: str = "active", restarts: int = 0) -> UnitStatus:
    shown = {"Id": name, "LoadState": "loaded", "ActiveState": active, "NRestarts": str(restarts)}
    return unit_status(name, {**shown, "ExecMainStartTimestamp": "@1000"})


@pytest.mark.parametrize(
    ("more", "servers", "expected"),
    [
        ({}, 0.0, {BACKEND: 1000.0, FRONTEND: 1000.0}),
        ({}, 2000.0, {BACKEND: 2005.0, FRONTEND: 1000.0}),
        # Crashed, and started again by systemd: nobody has cured anything.
        ({"restarts": 1}, 0.0, {}),
        ({"restarts": 1}, 2000.0, {BACKEND: 2005.0}),
        ({"active": "failed"}, 0.0, {}),
    ],
)
def test_a_start_ends_what_was_before(
    more: dict[str, Any], servers: float, expected: dict[str, float]
) -> None:
    states = {name: unit(name, **more) for name in (BACKEND, FRONTEND)}
    assert log_past.fresh_since(states, servers) == expected


def test_servers_are_the_systems_and_the_gateway_is_a_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stat").write_text("btime 0\n")
    owners = {}
    manager = "/user.slice/user-1001.slice/user@1001.service"
    for pid, name, ticks, owner, cgroup in (
        (10, "postgres", 100, 105, ""),
        (11, "postgres", 900, 105, ""),  # a connection of it
        (12, "redis-server", 300, 106, ""),
        (13, "postgres", 5000, 1000, ""),  # a user's own
        (
            14,
            "node",
            700,
            1001,
            f"{manager}/app.slice/openclaw-gateway.service",
        ),
    ):
        place = tmp_path / str(pid)
        place.mkdir()
        (place / "status").write_text(f"Name:\t{name}\n")
        fields = ["S", *["0"] * 18, str(ticks), "0", "0"]
        (place / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}")
        (place / "cgroup").write_text(f"0::{cgroup}\n")
        owners[pid] = owner
    monkeypatch.setattr(log_past, "owner_of", lambda pid, _proc: owners[pid])
    monkeypatch.setattr(log_past, "started", lambda fields, _proc: float(fields[19]))
    assert log_past.newest_server(tmp_path) == 700.0
    (tmp_path / "14" / "cgroup").write_text("0::/user.slice\n")
    assert log_past.newest_server(tmp_path) == 300.0

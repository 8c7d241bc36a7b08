"""The ways on a host: to its own addresses and directories, and up again after a boot."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import loopback
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import (
    Account,
    find_account,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.user_file_status import (
    closed_directory,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.user_files import UserFiles
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import host_ways

MC = Account("mc", 1000, 1000, "/home/mc", "/bin/sh")
OWN = {"port": 8000, "unit": "mission-control-backend"}
POSTGRESQL = {"port": 5432, "unit": "", "users": ["postgres"]}
REDIS = {"port": 6379, "unit": "", "users": ["redis", "valkey"]}


def test_this_host_reaches_itself() -> None:
    assert loopback.interface_is_up("lo") is True
    assert loopback.interface_is_up("nothing") is None
    assert loopback.address_is_there() and not loopback.address_is_there("192.0.2.77")
    assert host_ways.judge_loopback(True, True).state == "pass"
    assert host_ways.judge_loopback(None, True).state == "pass"
    assert host_ways.judge_local_ports(loopback.read_local_ports()).state == "pass"


@pytest.mark.parametrize(
    ("up", "there", "remedy"),
    [(False, True, "ip link set lo up"), (True, False, "ip address add 127.0.0.1/8 dev lo")],
)
def test_a_host_that_does_not_reach_itself(up: bool, there: bool, remedy: str) -> None:
    verdict = host_ways.judge_loopback(up, there)
    assert (verdict.state, verdict.kind, verdict.remedy) == ("fail", "loopback_down", remedy)


@pytest.mark.parametrize(
    ("text", "state"),
    [("32768\t60999\n", "pass"), ("61000\t61000\n", "fail"), ("61000 61500", "fail"), ("", "skip")],
)
def test_ports_for_the_near_end_of_connections(text: str, state: str) -> None:
    verdict = host_ways.judge_local_ports(text)
    assert verdict.state == state
    assert verdict.kind == ("local_ports" if state == "fail" else "")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to look as another user")
def test_a_directory_on_the_way_that_is_closed() -> None:
    files = UserFiles(find_account("nobody"))
    with tempfile.TemporaryDirectory(prefix="ways-") as name:
        top = Path(name)
        top.chmod(0o755)
        place = top / "home/mc/mission-control"
        place.mkdir(parents=True)
        assert closed_directory(files, place) is None
        assert closed_directory(files, place / "gone/further") is None
        (top / "home").chmod(0o700)
        assert closed_directory(files, place) == {"path": str(top / "home"), "owner": 0, "mode": 0o700}


@pytest.mark.parametrize(
    ("found", "remedy"),
    [
        (None, ""),
        ({"path": "/home", "owner": 0, "mode": 0o700}, "chmod o+x /home"),
        ({"path": "/home/mc", "owner": 1000, "mode": 0}, "chmod u+rwx /home/mc"),
        ({"path": "/home/mc", "owner": 0, "mode": 0o700}, "chown mc: /home/mc"),
        ({"path": "/a b", "owner": 0, "mode": 0o700}, "chmod o+x '/a b'"),
    ],
)
def test_what_opens_it(found: dict[str, Any] | None, remedy: str) -> None:
    verdict = host_ways.judge_directories(found, MC)
    assert verdict.remedy == remedy
    assert verdict.kind == ("directory_closed" if found else "")


def test_servers_that_do_not_come_again_after_a_boot() -> None:
    assert host_ways.server_units([OWN, POSTGRESQL, REDIS]) == [
        "postgresql",
        "redis-server",
        "valkey-server",
    ]
    running = {"ActiveState": "active", "UnitFileState": "enabled"}
    disabled, masked = running | {"UnitFileState": "disabled"}, running | {"UnitFileState": "masked"}
    absent = {"ActiveState": "inactive", "UnitFileState": ""}
    assert host_ways.judge_boot({"a.service": running, "b.service": absent}).state == "pass"
    # What does not run is told by who needs it.
    assert host_ways.judge_boot({"a.service": disabled | {"ActiveState": "inactive"}}).state == "pass"
    verdict = host_ways.judge_boot({"a.service": disabled, "b.service": running})
    assert (verdict.kind, verdict.remedy) == ("server_disabled", "systemctl enable a.service")
    assert "systemctl unmask a.service" in host_ways.judge_boot({"a.service": masked}).remedy

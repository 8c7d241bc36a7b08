"""status.yml, restart.yml, start.yml and stop.yml on one host and on three."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from operations_support import HOSTS, USER, Play, on_host

testinfra_hosts = ["operations-one"]
PARTS = ("backend", "worker", "frontend")
UNIT = "systemctl --user -M mission-control@ {} mission-control-{}"


def pids() -> dict[tuple[str, str], str]:
    """The main process of each service on each host."""
    found = {}
    for host in HOSTS:
        for part in PARTS:
            shown = on_host(host, UNIT.format("show -P MainPID", part)).strip()
            found[host, part] = shown
    return found


def test_one_table_over_all_hosts(play: Play) -> None:
    done = play("status.yml")
    assert done.returncode == 0, done.output
    assert done.output.count("HOST") == 1
    rows = done.table("HOST")
    assert [(row[0], row[1]) for row in rows] == [
        (host, part)
        for host in sorted(HOSTS, key=lambda name: [row[0] for row in rows].index(name))
        for part in (("gateway", *PARTS) if host == "operations-one" else PARTS)
    ]
    release = (
        on_host("operations-one", f"readlink /home/{USER}/mission-control/current").strip().rpartition("/")[2]
    )
    for row in rows:
        assert row[2] == "running", row
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(.+\)", row[3])
        assert row[4].isdigit() and re.fullmatch(r"[\d.]+ [KMG]iB", row[5])
        if row[1] in ("backend", "frontend"):
            assert row[6:] == [release, {"backend": "8000", "frontend": "3000"}[row[1]]]
        if row[1] == "worker":
            assert row[6:] == [release]
        if row[1] == "gateway":
            assert "18789" in row[-1].split(", ")


def test_one_service_on_one_host(play: Play) -> None:
    rows = play("status.yml", "-e", "service=worker", "--limit", "operations-two").table("HOST")
    assert [(row[0], row[1]) for row in rows] == [("operations-two", "worker")]


def test_check_mode_says_what_restart_would_do(play: Play) -> None:
    before = pids()
    done = play("restart.yml", "--check")
    assert done.returncode == 0, done.output
    rows = done.table("HOST")
    assert [row[1] for row in rows] == [part for part in PARTS for _host in HOSTS]
    assert {row[2] for row in rows} == {"would restart"}
    assert pids() == before


def test_restart_in_order_host_by_host(play: Play) -> None:
    before = pids()
    done = play("restart.yml")
    assert done.returncode == 0, done.output
    after = pids()
    assert all(after[key] != before[key] and after[key] != "0" for key in before)
    started = {
        (part, host): int(
            on_host(host, UNIT.format("show -P ExecMainStartTimestamp --timestamp=unix", part)).strip()[1:]
        )
        for host in HOSTS
        for part in PARTS
    }
    for one, other in itertools.pairwise(PARTS):
        assert max(started[one, host] for host in HOSTS) <= min(started[other, host] for host in HOSTS)
    order = sorted(HOSTS, key=lambda host: started["backend", host])
    assert len({started["backend", host] for host in order}) == 3, "one host at a time"
    # The gateway is left alone unless it is named.
    assert "Restart the gateway" in done.output and re.search(
        r"Restart the gateway\] \*+\nskipping", done.output
    )


def test_the_first_failure_ends_it(play: Play) -> None:
    order = [row[0] for row in play("restart.yml", "--check", "-e", "service=worker").table("HOST")]
    second, third = order[1], order[2]
    drop_in = f"/home/{USER}/.config/systemd/user/mission-control-worker.service.d"
    on_host(
        second,
        f"mkdir -p {drop_in} && printf '[Service]\\nExecStartPre=/bin/sh -c"
        ' "echo ERROR: broken on purpose; exit 1"\\n\''
        f" > {drop_in}/broken.conf && chown -R {USER}: {drop_in}"
        " && systemctl --user -M mission-control@ daemon-reload",
    )
    before = pids()
    try:
        done = play("restart.yml")
        after = pids()
    finally:
        on_host(
            second,
            f"rm -r {drop_in}; systemctl --user -M mission-control@ daemon-reload;"
            " systemctl --user -M mission-control@ reset-failed mission-control-worker;"
            " systemctl --user -M mission-control@ restart mission-control-worker",
        )
    assert done.returncode != 0
    assert "systemctl could not restart mission-control-worker.service" in done.message
    assert "broken on purpose" in done.output, "the journal's last lines are told"
    assert all(after[host, "backend"] != before[host, "backend"] for host in HOSTS)
    assert after[order[0], "worker"] != before[order[0], "worker"]
    assert after[third, "worker"] == before[third, "worker"], "what follows is left as it is"
    assert all(after[host, "frontend"] == before[host, "frontend"] for host in HOSTS)


def test_stop_and_start(play: Play, host: Any) -> None:
    predicted = play("stop.yml", "--check", "--limit", "operations-one")
    assert [row[1] for row in predicted.table("HOST")] == ["frontend", "worker", "backend"]
    assert play("stop.yml", "--limit", "operations-one").returncode == 0
    states = {row[1]: row[2] for row in play("status.yml", "--limit", "operations-one").table("HOST")}
    assert {states[part] for part in PARTS} == {"stopped"} and states["gateway"] == "running"
    refused = host.run("curl -s -o /dev/null -m 5 http://127.0.0.1:8000/healthz")
    assert refused.rc == 7, "the socket is closed, too: no connection starts it again"
    assert play("stop.yml", "--limit", "operations-one").recap["operations-one"]["changed"] == 0
    started = play("start.yml", "--limit", "operations-one")
    assert started.returncode == 0 and started.recap["operations-one"]["changed"] == 3, started.output
    assert host.run("curl -sf http://127.0.0.1:8000/readyz").stdout == '{"ok":true}'
    assert play("start.yml", "--limit", "operations-one").recap["operations-one"]["changed"] == 0


def test_the_gateway_is_restarted_by_its_name(play: Play, host: Any) -> None:
    show = "systemctl --user -M openclaw@ show -P MainPID openclaw-gateway"
    before, services = host.run(show).stdout, pids()
    done = play("restart.yml", "-e", "service=gateway")
    assert done.returncode == 0, done.output
    assert host.run(show).stdout not in (before, "0\n")
    assert pids() == services


@pytest.mark.parametrize("playbook", ["status.yml", "restart.yml", "start.yml", "stop.yml", "logs.yml"])
def test_unknown_service(play: Play, playbook: str) -> None:
    before = pids()
    done = play(playbook, "-e", "service=bakend")
    assert done.returncode != 0
    assert done.message.startswith('service: "bakend" is not a service of Mission Control.')
    assert "backend, worker, frontend, gateway, all" in done.message
    assert done.output.count("FAILED!") == 1, "one message, however many hosts"
    assert pids() == before


def test_a_service_that_no_host_has(play: Play) -> None:
    done = play("restart.yml", "-e", "service=gateway", "--limit", "operations-two,operations-three")
    assert done.returncode != 0
    assert "none of these hosts runs the gateway" in done.message


@pytest.fixture(scope="module")
def with_an_unreachable_host(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tmp_path_factory.mktemp("inventory") / "gone.yml"
    gone = "{ansible_host: 127.0.0.1, ansible_port: 9, ansible_ssh_common_args: ''}"
    path.write_text(f"all:\n  children:\n    mission_control:\n      hosts:\n        gone: {gone}\n")
    return ["-i", str(path)]


def test_status_with_an_unreachable_host(play: Play, with_an_unreachable_host: list[str]) -> None:
    done = play("status.yml", *with_an_unreachable_host)
    assert done.returncode != 0
    rows = done.table("HOST")
    assert ["gone", "unreachable"] in rows
    assert sum(row[2] == "running" for row in rows if len(row) > 2) == 10
    assert "gone is unreachable. See that it runs" in done.output


@pytest.mark.parametrize("playbook", ["restart.yml", "stop.yml"])
def test_nothing_is_done_while_a_host_is_unreachable(
    play: Play, with_an_unreachable_host: list[str], playbook: str
) -> None:
    before = pids()
    done = play(playbook, *with_an_unreachable_host)
    assert done.returncode != 0
    assert "gone is unreachable" in done.output and "Nothing was changed on any host." in " ".join(
        done.output.split()
    )
    assert pids() == before

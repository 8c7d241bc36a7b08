"""A door on a host of its own, two backends behind it: one is lost under load, and the door is reloaded."""

from __future__ import annotations

import contextlib
import functools
import http.client
import ipaddress
import json
import ssl
from collections.abc import Callable, Iterator

import front_door_support
import pytest
from asking_users import PATH, TIMEOUT, Users
from distributed_support import DATA, FRONT, ONE, TWO, USER, address, on_host, play, python, settings
from event_streams import Streams
from front_door_support import AUTHORITY, STREAM, UNIT

testinfra_hosts = [DATA]
USERS = 8
FIREWALL = "mission-control-firewall"
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 8000), 3).close()
except TimeoutError:
    print(False)
else:
    print(True)
"""
# What HAProxy says of the servers of its backend api, and what it is told of them.
ASK_THE_DOOR = f"""
import csv, io, json, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("/run/{UNIT}/admin.sock")
connection.sendall(sys.argv[1].encode() + b"\\n")
answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
if sys.argv[1] == "show stat":
    rows = csv.DictReader(io.StringIO(answer.removeprefix("# ")))
    rows = [row for row in rows if row["pxname"] == "api" and row["svname"] not in ("FRONTEND", "BACKEND")]
    print(json.dumps({{row["svname"]: [row["status"], int(row["scur"]), int(row["stot"])] for row in rows}}))
else:
    print(answer)
"""


def door() -> dict[str, object]:
    """What an operator sets: the door's name, and that nobody else is in the network behind it."""
    url = f"https://{address(FRONT)}"
    network = ipaddress.ip_network(f"{address(FRONT)}/16", strict=False)
    return {
        "mission_control_public_url": url,
        "mission_control_api_url": url,
        "mission_control_private_network": str(network),
        # Both releases have to come up beside whatever else this machine does.
        "release_gate_deadline": 60,
    }


@functools.cache
def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=on_host(FRONT, f"cat {AUTHORITY}"))


def connected() -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection(address(FRONT), timeout=TIMEOUT, context=trusting())


def status(token: str) -> int:
    """What the API answers through the door."""
    connection = connected()
    try:
        connection.request("GET", PATH, headers={"Authorization": f"Bearer {token}", "Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()


def told() -> dict[str, tuple[str, int, int]]:
    """The door's servers for the API: state, sessions now, sessions so far."""
    return {name: tuple(row) for name, row in json.loads(python(FRONT, ASK_THE_DOOR, "show stat")).items()}


def state(name: str) -> str:
    (found,) = (row[0] for server, row in told().items() if name in server)
    return found


def reaches(name: str, other: str) -> bool:
    """Whether a host gets a connection to the backend's port of another one, or of itself."""
    return python(name, CONNECT, address(other)) == "True"


def until(true: Callable[[], bool]) -> None:
    front_door_support.until(true, 60)


def reload() -> None:
    """Have the door read its configuration, and wait until it has."""
    workers = f"pgrep -P $(systemctl show -P MainPID {UNIT})"
    before = set(on_host(FRONT, workers).split())
    on_host(FRONT, f"systemctl reload {UNIT}")
    until(lambda: bool(set(on_host(FRONT, workers).split()) - before))


@pytest.fixture(scope="module", autouse=True)
def opened() -> None:
    done = play("deploy.yml", **door())
    assert done.returncode == 0, done.output[-4000:]


@pytest.fixture
def token() -> str:
    return settings(ONE)["LOCAL_AUTH_TOKEN"]


@contextlib.contextmanager
def dead() -> Iterator[int]:
    """The backend of a host is killed and does not come back; gives how many requests may be lost with it."""
    units = f"systemctl --user -M {USER}@"
    on_host(
        TWO,
        f"{units} kill -s KILL mission-control-backend.service; "
        f"{units} stop mission-control-backend.socket mission-control-backend.service",
    )
    try:
        yield USERS
    finally:
        on_host(
            TWO,
            f"{units} reset-failed mission-control-backend.service; "
            f"{units} start mission-control-backend.socket mission-control-backend.service",
        )


@contextlib.contextmanager
def unreachable() -> Iterator[int]:
    """A host is gone from the network: nothing answers, nothing refuses."""
    table = "table inet test_front_door"
    on_host(
        TWO,
        "apt-get install -qy nftables >/dev/null 2>&1; "
        f"nft 'add {table}; add chain inet test_front_door input {{ type filter hook input priority 0; }}; "
        "add rule inet test_front_door input tcp dport 8000 drop'",
    )
    try:
        yield USERS
    finally:
        on_host(TWO, f"nft delete {table}")


def test_pages_and_api_have_one_address_and_both_backends_serve(token: str) -> None:
    assert status(token) == 200 and status(f"{token}x") == 401
    connection = connected()
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.status == 200 and b"Mission Control" in answer.read()
    connection.close()
    before = told()
    assert len(before) == 2 and {row[0] for row in before.values()} == {"UP"}
    for _ in range(12):
        assert status(token) == 200
    assert all(row[2] > before[name][2] for name, row in told().items())


def test_verify_says_so_from_every_host_and_from_the_controller() -> None:
    done = play("verify.yml", verify_deadline=60, **door())
    assert done.returncode == 0, done.output[-6000:]
    assert "front_door" in done.output


@pytest.mark.parametrize("lost", [dead, unreachable])
def test_a_backend_that_is_lost_under_load_is_taken_out_and_put_back(
    lost: Callable[[], contextlib.AbstractContextManager[int]], token: str
) -> None:
    assert state(TWO) == "UP"
    with Users(status, (token,), number=USERS) as users:
        until(lambda: users.asked > 30)
        with lost() as in_flight:
            until(lambda: state(TWO).startswith("DOWN"))
            asked = users.asked
            # Everybody goes on, and without a failure: the door asks the other one.
            failed = len(users.problems)
            until(lambda: users.asked > asked + 40)
            assert users.problems[failed:] == []
        until(lambda: state(TWO) == "UP")
        served = told()
        until(lambda: all(row[2] > served[name][2] for name, row in told().items()))
    failures = f"{len(users.problems)} failed, the longest waited {users.longest:.1f} s"
    print(f"\n  {lost.__name__}: {users.asked} requests, {failures}")
    assert len(users.problems) <= in_flight, users.problems


def test_a_reload_under_load_cuts_no_stream_and_fails_no_request(token: str) -> None:
    with Streams(20, connected, STREAM, token) as streams, Users(status, (token,), number=4) as users:
        until(lambda: users.asked > 20)
        events = streams.events
        reload()
        reload()
        asked = users.asked
        until(lambda: users.asked > asked + 20)
        until(lambda: streams.events >= events + 20)
    print(f"\n  {users.asked} requests, {len(users.problems)} failed, {len(streams.ended)} streams cut")
    assert (users.problems, streams.ended) == ([], [])


def test_a_backend_is_taken_out_by_name_and_is_empty_soon(token: str) -> None:
    (name,) = (server for server in told() if TWO in server)
    with Users(status, (token,), number=4) as users:
        python(FRONT, ASK_THE_DOOR, f"set server api/{name} state drain")
        try:
            until(lambda: told()[name][:2] == ("DRAIN", 0))
            before, asked = told()[name][2], users.asked
            until(lambda: users.asked > asked + 20)
            assert told()[name][2] == before, "nobody is sent to it"
        finally:
            python(FRONT, ASK_THE_DOOR, f"set server api/{name} state ready")
        until(lambda: told()[name][2] > before)
    assert users.problems == []


def test_what_is_behind_the_door_is_for_it_alone() -> None:
    assert reaches(FRONT, ONE) and reaches(ONE, ONE)
    assert not reaches(DATA, ONE) and not reaches(TWO, ONE)
    # A boot loads it before there is a network.
    on_host(ONE, f"systemctl is-enabled {FIREWALL}")
    on_host(ONE, "nft flush table inet mission_control")
    assert reaches(DATA, ONE)
    done = play("verify.yml", "--limit", ONE, verify_controller=False, **door())
    assert done.returncode != 0 and "lets others through" in done.words, done.output[-4000:]
    on_host(ONE, f"systemctl restart {FIREWALL}")
    assert not reaches(DATA, ONE)


def test_a_deployment_loads_it_again_and_takes_it_away() -> None:
    on_host(TWO, "nft delete table inet mission_control")
    done = play("deploy.yml", **door())
    assert done.returncode == 0 and not reaches(DATA, TWO), done.output[-4000:]
    assert done.counts[TWO]["changed"] > 0 and done.counts[ONE]["changed"] == 0
    done = play("deploy.yml", **door(), mission_control_firewall=False)
    assert done.returncode == 0 and reaches(DATA, ONE), done.output[-4000:]
    assert "mission_control" not in on_host(ONE, "nft list tables")
    assert on_host(ONE, f"systemctl show -P LoadState {FIREWALL}") == "not-found"

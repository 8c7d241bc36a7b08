"""The gateway at an address of its own: the door's, by another port."""

from __future__ import annotations

import http.client
import json
import shlex
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import client, identity
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.errors import GatewayError
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.websocket import WebSocket
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.door_connection import answers
from front_door_support import (
    CONFIGURATION,
    address,
    authority,
    configured,
    deploy,
    findings,
    play,
    ssh,
    trusting,
    until,
    url,
    variables,
)

PORT = 8443
STATE = "/home/openclaw/.openclaw"
OPENCLAW = "cd /; runuser -l openclaw -c 'openclaw-gateway/bin/openclaw {}'"
PARTS = ("gateway certificate", "gateway page", "gateway websocket", "gateway origin")


def gateway_url() -> str:
    return f"{url()}:{PORT}"


def wrong(**options: Any) -> dict[str, str]:
    """What the check finds wrong at the gateway's address."""
    return {
        name: kind for name, kind in findings(gateway_url=gateway_url(), **options).items() if name in PARTS
    }


def get(port: int, path: str = "/", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPSConnection(address(), port, timeout=30, context=trusting())
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read().decode()
    finally:
        connection.close()


def settings() -> dict[str, Any]:
    """The gateway's configuration."""
    tree: dict[str, Any] = json.loads(ssh(f"cat {STATE}/openclaw.json"))["gateway"]
    return tree


def devices(kind: str) -> dict[str, Any]:
    """Devices that the gateway has let in (paired), or that ask to be (pending)."""
    listed: dict[str, Any] = json.loads(ssh(f"cat {STATE}/devices/{kind}.json"))
    return {entry["deviceId"]: entry for entry in listed.values()}


def ours() -> str:
    """From where the host sees us come."""
    return ssh("echo $SSH_CONNECTION").split()[0]


def gateway_token() -> str:
    return ssh(
        "sed -n \"s/^OPENCLAW_GATEWAY_TOKEN='\\(.*\\)'$/\\1/p\" /home/openclaw/openclaw-gateway/gateway.env"
    )


def new_device() -> identity.Identity:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "device.json"
        identity.ensure(path)
        return identity.read_identity(path)


def asked(device: identity.Identity, headers: dict[str, str] | None = None) -> str:
    """How the gateway answers a device that has the right token and comes through the door."""
    opened = partial(WebSocket.open, headers=headers or {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "WebSocket", SimpleNamespace(open=opened))
        try:
            with client.GatewayClient(
                f"wss://{address()}:{PORT}", token=gateway_token(), identity=device, ca_path=authority()
            ):
                return "let in"
        except GatewayError as error:
            return f"{error.kind}: {error.message}"


@contextmanager
def forwarded(port: int) -> Iterator[int]:
    """A port here that leads to one of the host's own loopback, by SSH."""
    told = variables()
    with socket.create_server(("127.0.0.1", 0)) as free:
        here = free.getsockname()[1]
    # A connection of its own: one that is shared would keep the port.
    key = told["ansible_ssh_private_key_file"]
    argv = ["ssh", "-S", "none", *shlex.split(told["ansible_ssh_common_args"]), "-i", key]
    place = f"{told['ansible_user']}@{told['ansible_host']}"
    process = subprocess.Popen([*argv, "-N", "-L", f"{here}:127.0.0.1:{port}", place])
    try:
        until(lambda: process.poll() is None and answers(f"http://127.0.0.1:{here}", 2))
        yield here
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def device() -> Iterator[identity.Identity]:
    """A device that the gateway has never seen; what it asked for is taken back."""
    made = new_device()
    yield made
    for entry in devices("pending").values():
        if entry["deviceId"] == made.device_id:
            ssh(OPENCLAW.format(f"devices reject {entry['requestId']}"), check=False)
    if made.device_id in devices("paired"):
        ssh(OPENCLAW.format(f"devices remove {made.device_id}"), check=False)


# --- as it was deployed ----------------------------------------------------------------------------


def test_nothing_is_wrong_with_it() -> None:
    assert wrong() == {}
    code, output = play("verify", "--tags", "front_door")
    assert code == 0, output[-4000:]
    assert "pass   front_door" in output


def test_its_page_is_served_there_and_mission_controls_at_the_main_address() -> None:
    status, headers, page = get(PORT)
    assert status == 200 and "<openclaw-app" in page
    assert "max-age" in headers["strict-transport-security"]
    # Its paths are its own, whatever they are called: of the API none is here.
    status, _headers, text = get(PORT, "/healthz")
    assert (status, json.loads(text).get("ok")) == (200, True) and json.loads(text) != {"ok": True}
    status, _headers, page = get(443)
    assert status == 200 and "<openclaw-app" not in page
    assert json.loads(get(443, "/healthz")[2]) == {"ok": True}
    # The name tells nothing here, since both have it.
    assert "<openclaw-app" not in get(443, "/", Host=f"{address()}:{PORT}")[2]


def test_the_gateway_listens_to_the_door_alone_and_knows_it() -> None:
    listening = ssh("ss -Hltn 'sport = :18789'")
    assert {line.split()[3] for line in listening.splitlines()} <= {"127.0.0.1:18789", "[::1]:18789"}
    with pytest.raises(OSError):
        socket.create_connection((address(), 18789), 5).close()
    known = settings()
    assert known["trustedProxies"] == ["127.0.0.1", "::1"]
    assert known["controlUi"]["allowedOrigins"] == [url(), gateway_url()]


# --- who comes through the door is nobody of the gateway's own host -------------------------------------


def test_a_new_device_is_asked_for_pairing(device: identity.Identity) -> None:
    assert asked(device).startswith("pairing_required")
    assert device.device_id in devices("pending") and device.device_id not in devices("paired")
    # The gateway knows from where it came: its limits count clients, not the door.
    assert devices("pending")[device.device_id]["remoteIp"] == ours()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost", "X-Forwarded-For": "::1", "X-Forwarded-Proto": "http"},
        {"Connection": "Upgrade, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto"},
    ],
)
def test_nobody_makes_himself_a_local_client(device: identity.Identity, headers: dict[str, str]) -> None:
    assert asked(device, headers).startswith("pairing_required")
    assert device.device_id not in devices("paired")


def test_past_the_door_a_device_on_the_host_is_let_in_at_once(device: identity.Identity) -> None:
    """What those above would get if they were taken for local: these tests see something."""
    with forwarded(18789) as port:
        told = client.GatewayClient(f"ws://127.0.0.1:{port}", token=gateway_token(), identity=device)
        with told:
            assert told.version
    assert device.device_id in devices("paired")


def test_pages_of_its_address_may_connect_and_others_not(device: identity.Identity) -> None:
    assert asked(device, {"Origin": gateway_url()}).startswith("pairing_required")
    assert "origin not allowed" in asked(device, {"Origin": "https://elsewhere.invalid"})


# --- what may be wrong -------------------------------------------------------------------------------

HAND = "s/(use_backend gateway if gateway)/http-request {} if gateway\\n    \\1/"
MISTAKES: dict[str, tuple[str, dict[str, str]]] = {
    "hands it to the pages": (
        "/use_backend gateway/d",
        {"gateway page": "door_gateway_page", "gateway websocket": "door_gateway_websocket"},
    ),
    "takes Upgrade away": (
        HAND.format("del-header Upgrade"),
        {"gateway websocket": "door_gateway_websocket"},
    ),
    "says another origin": (
        HAND.format("set-header Origin https:\\/\\/elsewhere.invalid"),
        {"gateway origin": "door_gateway_origin"},
    ),
    "asks where nobody listens": (
        "s/(server front-door 127.0.0.1:)18789/\\118788/",
        {"gateway page": "door_gateway_lost", "gateway websocket": "door_gateway_websocket"},
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_by_its_name(mistake: str) -> None:
    change, expected = MISTAKES[mistake]
    with configured(change):
        assert wrong() == expected
        # The main address has nothing of it.
        assert findings() == {}


def test_a_gateway_that_is_lost_is_told_in_words() -> None:
    unit = "systemctl --user -M openclaw@ {} openclaw-gateway.service"
    ssh(unit.format("stop"))
    try:
        status, headers, page = get(PORT)
        assert (status, headers["retry-after"]) == (503, "5")
        assert "The OpenClaw gateway does not answer just now" in page
        assert wrong()["gateway page"] == "door_gateway_lost"
        assert get(443)[0] == 200
    finally:
        ssh(unit.format("start"))
    until(lambda: wrong() == {}, 120)


# --- by another name, and who may come in ---------------------------------------------------------------

NAME = "gateway.door.invalid"


def by_name(name: str, path: str = "/", port: int = 443) -> tuple[int, dict[str, str], str]:
    """As a client to whom DNS tells this name; its certificate has to be made out for that."""
    connection = http.client.HTTPConnection(name, timeout=30)
    plain = socket.create_connection((address(), port), 30)
    connection.sock = trusting().wrap_socket(plain, server_hostname=name) if port == 443 else plain
    with closing(connection):
        connection.request("GET", path, headers={"Host": name})
        answer = connection.getresponse()
        told = {header.lower(): value for header, value in answer.getheaders()}
        return answer.status, told, answer.read().decode()


def test_a_name_of_its_own_on_the_same_port() -> None:
    deploy(mission_control_gateway_public_url=f"https://{NAME}")
    status, _headers, page = by_name(NAME)
    assert status == 200 and "<openclaw-app" in page
    assert by_name(NAME.upper())[2] == page
    status, headers, _page = by_name(NAME, "/chat?x=1", port=80)
    assert (status, headers["location"]) == (308, f"https://{NAME}/chat?x=1")
    assert findings() == {} and "<openclaw-app" not in get(443)[2]
    assert settings()["controlUi"]["allowedOrigins"] == [url(), f"https://{NAME}"]
    with pytest.raises(OSError):
        socket.create_connection((address(), PORT), 5).close()


def test_closed_paths_are_mission_controls_and_networks_hold_for_both() -> None:
    deploy(mission_control_closed_paths=["health"], mission_control_allowed_networks=[ours()])
    assert get(443, "/healthz")[0] == 404 and get(PORT, "/healthz")[0] == 200
    assert wrong(closed=["health"]) == {}
    deploy(mission_control_allowed_networks=["192.0.2.0/24"])
    for port in (443, PORT):
        status, headers, _page = get(port)
        assert (status, headers["mission-control-door"]) == (403, "no-entry")


def test_without_the_address_nothing_of_it_is_left() -> None:
    deploy(mission_control_gateway_public_url="")
    known = settings()
    assert "trustedProxies" not in known and known["controlUi"]["allowedOrigins"] == [url()]
    assert "backend gateway" not in ssh(f"cat {CONFIGURATION}") and findings() == {}
    with pytest.raises(OSError):
        socket.create_connection((address(), PORT), 5).close()
    deploy()
    assert wrong() == {}

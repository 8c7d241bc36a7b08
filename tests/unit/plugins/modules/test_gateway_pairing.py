# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Both halves: the request over a loopback gateway, the approval with a command line that keeps its devices
as the real one does. The real command line is used in the scenario gateway."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.modules import gateway_pairing
from controller import received
from gateway_server import Gateway, make_identity

TOKEN = "the-token-of-the-gateway"
SCOPES = ["operator.read", "operator.admin", "operator.approvals", "operator.pairing"]
PUBLIC = b"k" * 32
DEVICE = hashlib.sha256(PUBLIC).hexdigest()
KEY = base64.urlsafe_b64encode(PUBLIC).decode().rstrip("=")
Call = Callable[..., dict[str, Any]]

# Knows `devices list`, `devices approve` and `devices remove`, and writes down how it was called.
COMMAND = """#!{python}
import json, pathlib, sys
state = pathlib.Path({state!r})
pending = json.loads((state / "pending.json").read_text())
paired = json.loads((state / "paired.json").read_text())
with (state / "calls").open("a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
what, *rest = [argument for argument in sys.argv[2:] if argument != "--json"]
if what == "list":
    print("Direct scope access failed; using local fallback.")
    print(json.dumps({{"pending": list(pending.values()), "paired": list(paired.values())}}))
elif what == "approve":
    request = pending.pop(rest[0])
    paired[request["deviceId"]] = {{**request, "approvedScopes": request["scopes"]}}
    print(json.dumps({{"requestId": rest[0]}}))
elif what == "remove":
    if rest[0] not in paired:
        sys.exit("unknown deviceId")
    del paired[rest[0]]
    print("{{}}")
(state / "pending.json").write_text(json.dumps(pending))
(state / "paired.json").write_text(json.dumps(paired))
"""


@pytest.fixture(name="call")
def _call(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(**arguments: Any) -> dict[str, Any]:
        with patch_module_args(arguments), pytest.raises(SystemExit):
            gateway_pairing.main()
        text = received(capsys.readouterr().out)
        assert TOKEN not in text
        result: dict[str, Any] = json.loads(text)
        return result

    return call


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> Path:
    """A gateway's host; its directory of devices is returned."""
    devices = tmp_path / "state" / "devices"
    devices.mkdir(parents=True)
    (devices / "pending.json").write_text("{}")
    (devices / "paired.json").write_text("{}")
    program = tmp_path / "root" / "bin" / "openclaw"
    program.parent.mkdir(parents=True)
    program.write_text(COMMAND.format(python=sys.executable, state=str(devices)))
    program.chmod(0o755)
    return devices


def on_host(host: Path, **more: Any) -> dict[str, Any]:
    places = {"root": str(host.parent.parent / "root"), "state_directory": str(host.parent)}
    return {"user": getpass.getuser(), "device_id": DEVICE, **places, **more}


def ask(host: Path, identifier: str = "r1", **more: Any) -> None:
    pending = json.loads((host / "pending.json").read_text())
    request = {
        "requestId": identifier,
        "deviceId": DEVICE,
        "publicKey": KEY,
        "role": "operator",
        "scopes": SCOPES,
    }
    pending[identifier] = {**request, "roles": ["operator"], "ts": 1, **more}
    (host / "pending.json").write_text(json.dumps(pending))


def calls(host: Path) -> list[str]:
    return (host / "calls").read_text().splitlines() if (host / "calls").exists() else []


def test_exactly_this_device_is_approved(host: Path, call: Call) -> None:
    ask(host, "other", deviceId="0" * 64, ts=9)
    ask(host)
    result = call(**on_host(host), _ansible_diff=True)
    assert (result["changed"], result["request_id"]) == (True, "r1")
    assert calls(host) == ["devices list --json", "devices approve r1 --json"]
    assert list(json.loads((host / "pending.json").read_text())) == ["other"]
    assert result["diff"]["after"] == f"{DEVICE}: approved\n"


def test_an_approved_device_costs_no_command(host: Path, call: Call) -> None:
    ask(host)
    call(**on_host(host))
    before = calls(host)
    assert call(**on_host(host))["changed"] is False
    assert calls(host) == before


def test_check_mode_predicts(host: Path, call: Call) -> None:
    ask(host)
    assert call(**on_host(host), _ansible_check_mode=True)["changed"] is True
    assert calls(host) == []


def test_a_foreign_key_under_this_id_is_not_approved(host: Path, call: Call) -> None:
    ask(host, publicKey=base64.urlsafe_b64encode(b"x" * 32).decode().rstrip("="))
    result = call(**on_host(host))
    assert result["failed"] is True and result["kind"] == "no_request"
    assert [line for line in calls(host) if "approve" in line] == []


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"scopes": [*SCOPES, "operator.everything"]}, "operator.everything"),
        ({"roles": ["operator", "node"]}, "node"),
    ],
)
def test_a_request_for_more_is_refused(host: Path, call: Call, more: dict[str, Any], named: str) -> None:
    ask(host, **more)
    result = call(**on_host(host))
    assert result["failed"] is True and result["kind"] == "scopes" and named in result["msg"]
    assert [line for line in calls(host) if "approve" in line] == []


def test_a_device_that_was_approved_with_less_is_approved_anew(host: Path, call: Call) -> None:
    entry = {"deviceId": DEVICE, "publicKey": KEY, "role": "operator", "approvedScopes": ["operator.read"]}
    (host / "paired.json").write_text(json.dumps({DEVICE: entry}))
    ask(host)
    assert call(**on_host(host))["changed"] is True


def test_without_a_request_the_remedy_is_to_make_one(host: Path, call: Call) -> None:
    result = call(**on_host(host))
    assert result["failed"] is True and "state: requested" in result["remedy"]


def test_an_approval_is_taken_back_once(host: Path, call: Call) -> None:
    ask(host)
    call(**on_host(host))
    assert call(**on_host(host, state="absent"))["changed"] is True
    assert call(**on_host(host, state="absent"))["changed"] is False


def test_a_gateway_that_does_not_answer_its_command_line_is_told(host: Path, call: Call) -> None:
    program = host.parent.parent / "root" / "bin" / "openclaw"
    program.write_text("#!/bin/sh\necho 'gateway connect failed' >&2\nexit 1\n")
    result = call(**on_host(host))
    assert result["failed"] is True and "gateway connect failed" in result["msg"]
    assert "systemctl --user status openclaw-gateway" in result["remedy"]


def request(tmp_path: Path, url: str, **more: Any) -> dict[str, Any]:
    identity = tmp_path / "device.json"
    if not identity.exists():
        make_identity(identity)
    return {
        "state": "requested",
        "url": url,
        "token": TOKEN,
        "identity": str(identity),
        "user": getpass.getuser(),
        "deadline": 3,
        **more,
    }


def test_a_device_that_is_known_is_let_in(tmp_path: Path, call: Call) -> None:
    with Gateway() as gateway:
        result = call(**request(tmp_path, gateway.url))
    assert (result["changed"], result["connected"], result["protocol"]) == (False, True, 3)
    assert result["gateway_version"] == "2026.4.2"


def test_a_device_that_is_not_becomes_a_request(tmp_path: Path, call: Call) -> None:
    with Gateway(paired=False) as gateway:
        result = call(**request(tmp_path, gateway.url))
    assert (result["changed"], result["connected"], result["request_id"]) == (True, False, "request-1")
    assert result["device_id"] == json.loads((tmp_path / "device.json").read_text())["deviceId"]


def test_a_gateway_that_is_starting_is_waited_for(tmp_path: Path, call: Call) -> None:
    with Gateway(starting=1) as gateway:
        result = call(**request(tmp_path, gateway.url))
    assert result["connected"] is True and gateway.connections == 2


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"token": "another-token-altogether"}, "unauthorized"), ({"protocol": 4}, "protocol_mismatch")],
)
def test_what_waiting_cannot_cure_ends_at_once(
    tmp_path: Path, call: Call, options: dict[str, Any], kind: str
) -> None:
    with Gateway(**options) as gateway:
        result = call(**request(tmp_path, gateway.url))
    assert result["failed"] is True and result["kind"] == kind and result["remedy"]
    assert gateway.connections == 1


def test_check_mode_does_not_connect(tmp_path: Path, call: Call) -> None:
    with Gateway(paired=False) as gateway:
        result = call(**request(tmp_path, gateway.url), _ansible_check_mode=True)
    assert result["changed"] is False and gateway.connections == 0


def test_without_an_identity_there_is_nothing_to_connect_as(tmp_path: Path, call: Call) -> None:
    arguments = {**request(tmp_path, "ws://127.0.0.1:1"), "identity": str(tmp_path / "missing.json")}
    result = call(**arguments)
    assert result["failed"] is True and "missing.json" in result["msg"]

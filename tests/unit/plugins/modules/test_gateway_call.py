# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import connection
from ansible_collections.openclaw.mission_control.plugins.modules import gateway_call
from controller import received
from gateway_server import Gateway, make_identity

TOKEN = "the-token-of-the-gateway"
Call = Callable[..., dict[str, Any]]


@pytest.fixture(name="call")
def _call(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    make_identity(tmp_path / "device.json")

    def call(**arguments: Any) -> dict[str, Any]:
        defaults = {
            "token": TOKEN,
            "identity": str(tmp_path / "device.json"),
            "user": getpass.getuser(),
            "timeout": 5,
            "deadline": 3,
        }
        with patch_module_args({**defaults, **arguments}), pytest.raises(SystemExit):
            gateway_call.main()
        text = received(capsys.readouterr().out)
        assert TOKEN not in text
        result: dict[str, Any] = json.loads(text)
        return result

    return call


def server(**options: Any) -> Gateway:
    calls = {
        "sessions.list": lambda _parameters: {"sessions": [], "echo": TOKEN},
        "sessions.patch": lambda parameters: {"ok": True, "key": parameters["key"]},
    }
    return Gateway(calls=calls, **options)


LIST = {"method": "sessions.list"}
PATCH = {"method": "sessions.patch", "parameters": {"key": "agent:a:main"}}


def test_reading_changes_nothing(call: Call) -> None:
    with server() as gateway:
        result = call(url=gateway.url, calls=[LIST])
    assert (result["changed"], result["gateway_version"]) == (False, "2026.4.2")
    assert result["results"] == [{"sessions": [], "echo": "********"}]


def test_the_platform_is_the_one_named(call: Call) -> None:
    with server() as gateway:
        call(url=gateway.url, calls=[LIST], platform="python")
        call(url=gateway.url, calls=[LIST])
    named = [parameters["client"]["platform"] for method, parameters in gateway.seen if method == "connect"]
    assert named == ["python", "linux"]


def test_calls_come_in_order_over_one_connection(call: Call) -> None:
    with server() as gateway:
        result = call(url=gateway.url, calls=[LIST, PATCH, LIST])
    assert result["changed"] is True and gateway.connections == 1
    assert [method for method, _ in gateway.seen] == [
        "connect",
        "sessions.list",
        "sessions.patch",
        "sessions.list",
    ]
    assert result["results"][1] == {"ok": True, "key": "agent:a:main"}


def test_check_mode_stops_at_the_first_change(call: Call) -> None:
    with server() as gateway:
        result = call(url=gateway.url, calls=[LIST, PATCH, LIST], _ansible_check_mode=True)
    assert result["changed"] is True and len(result["results"]) == 1
    assert [method for method, _ in gateway.seen] == ["connect", "sessions.list"]


def test_the_method_that_fails_is_named(call: Call) -> None:
    with server() as gateway:
        result = call(url=gateway.url, calls=[LIST, {"method": "no.such"}, PATCH])
    assert result["failed"] is True and (result["method"], result["kind"]) == ("no.such", "rejected")
    assert [method for method, _ in gateway.seen][-1] == "no.such"


def test_a_gateway_that_is_starting_is_waited_for(call: Call) -> None:
    with server(starting=2) as gateway:
        assert call(url=gateway.url, calls=[LIST])["results"][0]["sessions"] == []
    assert gateway.connections == 3


def test_an_unpaired_device_is_told_what_to_do(call: Call) -> None:
    with server(paired=False) as gateway:
        result = call(url=gateway.url, calls=[LIST])
    assert (result["kind"], result["method"]) == ("pairing_required", "") and "approve" in result["remedy"]


@pytest.mark.parametrize(
    ("method", "reads"),
    [
        ("health", True),
        ("chat.history", True),
        ("device.pair.list", True),
        ("config.get", True),
        ("chat.inject", False),
        ("config.set", False),
        ("sessions.delete", False),
        ("sessions.listing", False),
    ],
)
def test_which_methods_only_read(method: str, reads: bool) -> None:
    assert bool(connection.READING.match(method)) is reads

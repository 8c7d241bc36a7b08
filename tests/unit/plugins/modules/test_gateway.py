# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import gateways, registration
from ansible_collections.openclaw.mission_control.plugins.modules import gateway
from controller import received
from mission_control_server import TOKEN, MissionControl

SECRET = "the-secret-token-of-the-gateway"
Call = Callable[..., dict[str, Any]]
BAD_GATEWAY = {"detail": "Gateway compatibility check failed: received 1012 (service restart)"}


@pytest.fixture(name="control")
def _control() -> Iterator[MissionControl]:
    with MissionControl() as control:
        yield control


@pytest.fixture(name="call")
def _call(
    control: MissionControl, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Call:
    monkeypatch.setattr(registration.time, "sleep", lambda _seconds: None)
    registrar = gateways.Registrar
    monkeypatch.setattr(
        gateways, "Registrar", lambda *a, **k: registrar(*a, **{**k, "sleep": lambda _seconds: None})
    )

    def call(**arguments: Any) -> dict[str, Any]:
        # Ansible collects warnings for the whole process; here it runs many modules.
        warnings._global_warnings.clear()
        defaults = {"url": control.url, "token": TOKEN, "name": "lab", "_ansible_diff": True}
        with patch_module_args({**defaults, **arguments}), pytest.raises(SystemExit):
            gateway.main()
        text = received(capsys.readouterr().out)
        for hidden in (TOKEN, SECRET, "EXAMPLE-GATEWAY-TOKEN"):
            assert hidden not in text.replace('"invocation"', "")
        result: dict[str, Any] = json.loads(text)
        return result

    return call


PRESENT = {"gateway_url": "ws://10.77.0.1:18789", "workspace_root": "/srv/openclaw/workspace"}
RECORDED = {**PRESENT, "disable_device_pairing": True}


def test_what_is_recorded_is_left_alone_and_its_token_stays_hidden(
    control: MissionControl, call: Call
) -> None:
    result = call(**RECORDED)
    assert (result["changed"], result["action"], result["fields"]) == (False, "none", [])
    assert result["gateway"]["token"] == "********" and "diff" not in result
    assert control.changes() == []


def test_a_new_one_is_created(control: MissionControl, call: Call) -> None:
    result = call(name="new", gateway_url="ws://b:1", gateway_token=SECRET, workspace_root="/w")
    assert (result["changed"], result["action"], result["attempts"]) == (True, "create", 1)
    assert control.changes() == [
        (
            "POST",
            "/api/v1/gateways",
            {
                "name": "new",
                "url": "ws://b:1",
                "token": SECRET,
                "workspace_root": "/w",
                "allow_insecure_tls": False,
                "disable_device_pairing": False,
            },
        )
    ]
    assert result["diff"][0]["before"] == "" and '"url": "ws://b:1"' in result["diff"][0]["after"]
    again = call(name="new", gateway_url="ws://b:1", gateway_token=SECRET, workspace_root="/w")
    assert again["changed"] is False


def test_only_what_differs_is_sent(control: MissionControl, call: Call) -> None:
    result = call(**{**RECORDED, "workspace_root": "/elsewhere"})
    identifier = control.gateways[0]["id"]
    path = f"/api/v1/gateways/{identifier}"
    assert control.changes() == [("PATCH", path, {"workspace_root": "/elsewhere"})]
    assert (result["action"], result["fields"]) == ("update", ["workspace_root"])
    assert (
        "/srv/openclaw/workspace" in result["diff"][0]["before"]
        and "/elsewhere" in result["diff"][0]["after"]
    )


def test_a_token_that_changes_shows_that_but_not_how(control: MissionControl, call: Call) -> None:
    result = call(**RECORDED, gateway_token=SECRET)
    assert result["fields"] == ["token"] and control.gateways[0]["token"] == SECRET
    assert result["diff"][0]["before"] != result["diff"][0]["after"]


def test_a_renamed_registration_is_recognised_by_its_address(control: MissionControl, call: Call) -> None:
    result = call(**RECORDED, name="production")
    assert (result["action"], result["fields"]) == ("update", ["name"])
    assert [item["name"] for item in control.gateways] == ["production"]


@pytest.mark.parametrize(
    "arguments", [{"name": "new", **PRESENT, "gateway_url": "ws://b:1"}, {"state": "absent"}, PRESENT]
)
def test_check_mode_predicts_and_changes_nothing(
    control: MissionControl, call: Call, arguments: dict[str, Any]
) -> None:
    predicted = call(**arguments, _ansible_check_mode=True)
    assert predicted["changed"] is True and control.changes() == []
    done = call(**arguments)
    assert done["action"] == predicted["action"] and done["changed"] is True


def test_it_is_deleted_once(control: MissionControl, call: Call) -> None:
    assert call(state="absent")["action"] == "delete"
    assert control.gateways == []
    again = call(state="absent")
    assert (again["changed"], again["gateway"]) == (False, {})


def test_a_gateway_that_restarts_meanwhile_is_waited_for(control: MissionControl, call: Call) -> None:
    control.refusals = [(502, BAD_GATEWAY, False), (503, {"detail": "starting"}, False)]
    result = call(name="new", gateway_url="ws://b:1", workspace_root="/w")
    assert (result["action"], result["attempts"]) == ("create", 3)
    assert len([item for item in control.gateways if item["name"] == "new"]) == 1


def test_what_a_refused_attempt_left_behind_is_completed_not_repeated(
    control: MissionControl, call: Call
) -> None:
    control.refusals = [(502, BAD_GATEWAY, True)]
    result = call(name="new", gateway_url="ws://b:1", workspace_root="/w")
    assert (result["changed"], result["action"], result["attempts"]) == (True, "create", 2)
    methods = [(method, body) for method, _path, body in control.changes()]
    assert methods[0][0] == "POST" and methods[1] == ("PATCH", {"url": "ws://b:1"})
    assert len([item for item in control.gateways if item["name"] == "new"]) == 1


def test_an_update_that_was_refused_halfway_is_completed(control: MissionControl, call: Call) -> None:
    control.refusals = [(502, BAD_GATEWAY, True)]
    result = call(**{**RECORDED, "workspace_root": "/elsewhere"})
    assert (result["action"], result["fields"], result["attempts"]) == ("update", ["workspace_root"], 2)


@pytest.mark.parametrize(
    ("status", "detail", "remedy"),
    [
        (502, "Gateway compatibility check failed: pairing required", "openclaw devices approve"),
        (502, "Gateway compatibility check failed: protocol mismatch", "gateway_version"),
        (
            502,
            "Gateway compatibility check failed: Gateway authentication failed. Verify gateway token and "
            "operator scopes.",
            "gateway_token",
        ),
        (
            422,
            "Gateway version 2026.1.1 is not supported. Minimum supported version is 2026.02.9.",
            "newer gateway",
        ),
        (422, "Unable to determine gateway version from runtime metadata", "newer revision"),
        (422, "url: not a valid address", "does not accept what is named"),
        (409, "exists already", "is there already"),
        (500, "Internal Server Error", "journalctl"),
        (403, "Forbidden", "owner or admin"),
        (307, "", "leads elsewhere"),
    ],
)
def test_a_refusal_that_waiting_cannot_cure_ends_at_once_with_its_remedy(
    control: MissionControl, call: Call, status: int, detail: str, remedy: str
) -> None:
    control.refusals = [(status, {"detail": detail}, False)]
    result = call(name="new", gateway_url="ws://b:1", workspace_root="/w")
    assert result["failed"] is True and result["status"] == status
    assert detail in result["msg"] and remedy in result["remedy"]
    assert len(control.changes()) == 1


def test_no_refusal_is_without_a_remedy() -> None:
    for status in range(300, 600):
        error = registration.refusal_of(registration.Reply(status, '{"detail": "something new"}'), "GET /x")
        assert error.remedy and error.transient == (status in registration.RETRY_STATUS)
        assert error.message == f"GET /x: {status} something new"


def test_an_unreachable_gateway_is_given_up_at_the_deadline(control: MissionControl, call: Call) -> None:
    refusal = {"detail": "Gateway compatibility check failed: [Errno 111] Connection refused"}
    control.refusals = [(502, refusal, False)] * 50
    result = call(name="new", gateway_url="ws://b:1", workspace_root="/w", deadline=0)
    assert result["failed"] is True and "Connection refused" in result["msg"]
    assert "as seen from the backend's host" in result["remedy"]


def test_fields_that_the_api_misses_are_named(control: MissionControl, call: Call) -> None:
    result = call(name="new", gateway_url="ws://b:1")
    assert result["failed"] is True and "workspace_root: Field required" in result["msg"]
    assert len(control.changes()) == 1


def test_two_of_one_name_are_not_guessed_about(control: MissionControl, call: Call) -> None:
    control.gateways.append({**control.gateways[0], "id": "other"})
    result = call(**RECORDED)
    assert result["failed"] is True and "2 gateways" in result["msg"] and "other" in result["remedy"]
    chosen = call(**RECORDED, id="other")
    assert chosen["changed"] is False and chosen["gateway"]["id"] == "other"


def test_the_second_page_is_read_too(control: MissionControl, call: Call) -> None:
    control.page = 2
    others = [{**control.gateways[0], "name": f"g{number}", "id": str(number)} for number in range(5)]
    control.gateways[:0] = others
    assert call(**RECORDED)["changed"] is False


def test_a_wrong_token_says_which(control: MissionControl, call: Call) -> None:
    result = call(**RECORDED, token="another-token-altogether")
    assert result["failed"] is True and result["status"] == 401 and "LOCAL_AUTH_TOKEN" in result["remedy"]


def test_nobody_there(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = call(**RECORDED, url=f"http://127.0.0.1:{port}", deadline=0)
    assert result["failed"] is True and result["status"] == 0 and "refused" in result["msg"]


@pytest.mark.parametrize("address", ["http://a:1", "a:18789", "ws://"])
def test_an_address_that_is_none_is_refused(control: MissionControl, call: Call, address: str) -> None:
    result = call(name="new", gateway_url=address)
    assert result["failed"] is True and "ws://host:port" in result["remedy"] and control.requests == []


def test_switching_pairing_off_warns(control: MissionControl, call: Call) -> None:
    assert [warning for warning in call(**RECORDED)["warnings"] if "safe way" in str(warning)]
    assert "warnings" not in call(**PRESENT)


def test_boards_come_along_in_the_same_call(control: MissionControl, call: Call) -> None:
    boards = [{"name": "demo", "slug": "demo", "max_agents": 4}, {"name": "Other board"}]
    result = call(**RECORDED, boards=boards)
    assert (result["changed"], result["action"]) == (True, "none")
    assert [board["slug"] for board in result["boards"]] == ["demo", "other-board"]
    assert [diff["after_header"] for diff in result["diff"]] == ["board demo", "board Other board"]
    assert control.boards[1]["gateway_id"] == control.gateways[0]["id"]
    assert call(**RECORDED, boards=boards)["changed"] is False


def test_check_mode_predicts_a_gateway_and_its_boards(control: MissionControl, call: Call) -> None:
    arguments = {"name": "new", "gateway_url": "ws://b:1", "workspace_root": "/w", "boards": [{"name": "x"}]}
    result = call(**arguments, _ansible_check_mode=True)
    assert result["changed"] is True and len(result["diff"]) == 2 and control.changes() == []

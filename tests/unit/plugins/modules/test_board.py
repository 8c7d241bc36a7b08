# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import boards
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.boards import make_slug
from ansible_collections.openclaw.mission_control.plugins.modules import board
from mission_control_server import TOKEN, MissionControl

Call = Callable[..., dict[str, Any]]


@pytest.fixture(name="control")
def _control() -> Iterator[MissionControl]:
    with MissionControl() as control:
        yield control


@pytest.fixture(name="call")
def _call(
    control: MissionControl, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Call:
    registrar = boards.Registrar
    monkeypatch.setattr(
        boards, "Registrar", lambda *a, **k: registrar(*a, **{**k, "sleep": lambda _seconds: None})
    )

    def call(**arguments: Any) -> dict[str, Any]:
        defaults = {"url": control.url, "token": TOKEN, "name": "demo", "_ansible_diff": True}
        with patch_module_args({**defaults, **arguments}), pytest.raises(SystemExit):
            board.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def test_the_recorded_board_is_left_alone(control: MissionControl, call: Call) -> None:
    result = call(gateway="lab", description="demo board")
    assert (result["changed"], result["action"]) == (False, "none") and control.changes() == []


def test_a_new_one_is_created_with_what_the_product_insists_on(control: MissionControl, call: Call) -> None:
    more = {"require_review_before_done": True}
    result = call(name="Über uns & more", gateway="lab", max_agents=3, fields=more)
    assert result["action"] == "create"
    method, path, body = control.changes()[0]
    assert (method, path) == ("POST", "/api/v1/boards")
    assert body == {
        "name": "Über uns & more",
        "slug": "uber-uns-more",
        "description": "Über uns & more",
        "gateway_id": control.gateways[0]["id"],
        "max_agents": 3,
        "require_review_before_done": True,
    }
    again = call(name="Über uns & more", gateway="lab", max_agents=3)
    assert again["changed"] is False


def test_fields_that_are_not_given_are_left_alone(control: MissionControl, call: Call) -> None:
    result = call(gateway="lab", objective="more")
    assert result["fields"] == ["objective"]
    assert control.changes()[0][2] == {"objective": "more"}
    assert control.boards[0]["description"] == "demo board"


def test_it_is_bound_to_another_gateway(control: MissionControl, call: Call) -> None:
    control.gateways.append({**control.gateways[0], "id": "other-id", "name": "other", "url": "ws://other:1"})
    result = call(gateway="other")
    assert result["fields"] == ["gateway_id"] and control.boards[0]["gateway_id"] == "other-id"
    assert '"other-id"' in result["diff"]["after"]


def test_a_gateway_that_is_not_registered_is_named(control: MissionControl, call: Call) -> None:
    result = call(gateway="elsewhere")
    assert result["failed"] is True and "'elsewhere'" in result["msg"] and "Register it" in result["remedy"]
    assert control.changes() == []


def test_check_mode_puts_up_with_a_gateway_that_is_still_to_be_registered(
    control: MissionControl, call: Call
) -> None:
    result = call(name="new", gateway="elsewhere", _ansible_check_mode=True)
    assert (result["changed"], result["action"]) == (True, "create") and control.changes() == []


def test_it_is_found_by_its_name_where_the_slug_was_chosen_otherwise(
    control: MissionControl, call: Call
) -> None:
    control.boards[0].update(slug="d-1", name="Demo board")
    result = call(name="Demo board", gateway="lab")
    assert result["changed"] is False and len(control.boards) == 1
    renamed = call(name="Demo board", slug="d-2", gateway="lab")
    assert renamed["action"] == "create"


def test_it_is_deleted_once(control: MissionControl, call: Call) -> None:
    predicted = call(state="absent", _ansible_check_mode=True)
    assert predicted["action"] == "delete" and len(control.boards) == 1
    assert call(state="absent")["changed"] is True and control.boards == []
    assert call(state="absent")["changed"] is False


def test_a_deletion_that_the_gateway_holds_up_is_tried_again(control: MissionControl, call: Call) -> None:
    control.refusals = [(502, {"detail": "Gateway cleanup failed: received 1012 (service restart)"}, False)]
    result = call(state="absent")
    assert (result["action"], result["attempts"]) == ("delete", 2)


def test_what_the_product_refuses_is_told(control: MissionControl, call: Call) -> None:
    detail = "gateway must have a gateway main agent before boards can be created or updated"
    control.refusals = [(422, {"detail": detail}, False)]
    result = call(name="new", gateway="lab")
    assert result["failed"] is True and detail in result["msg"] and result["status"] == 422


def test_a_board_without_a_gateway_is_refused(call: Call) -> None:
    result = call(name="new")
    assert result["failed"] is True and "gateway" in result["msg"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Demo", "demo"), ("A  b/C", "a-b-c"), ("Ähre", "ahre"), ("日本", "board"), ("--x--", "x")],
)
def test_slugs(name: str, slug: str) -> None:
    assert make_slug(name) == slug

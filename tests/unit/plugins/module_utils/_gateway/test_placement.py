# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who has a host's gateway, and who shall."""

from __future__ import annotations

import dataclasses
import getpass
import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import (
    holder,
    placement,
    placement_record,
    placing,
    unit_places,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.placement import (
    Placement,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.placement_record import Record
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import (
    Account,
    find_account,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)

ME = getpass.getuser()
OURS = "# Written by the role gateway of openclaw.mission_control.\n[Service]\n"


@pytest.fixture(name="application")
def _application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with a home of its own, on a host of which root has written nothing down."""
    monkeypatch.setattr(placement_record, "STATE_DIRECTORY", tmp_path / "state")
    home = tmp_path / "home"
    home.mkdir()
    return dataclasses.replace(find_account(ME), home=str(home))


def write(application: Account, path: str, text: str) -> None:
    file = Path(application.home) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def record(value: Record) -> None:
    placement_record.record_path().parent.mkdir(exist_ok=True)
    placement_record.record_path().write_text(json.dumps(dataclasses.asdict(value)))


UNIT = ".config/systemd/user/openclaw-gateway.service"


def test_a_host_without_a_gateway_gets_one_with_a_user_of_its_own(application: Account) -> None:
    assert placement.place("", application) == Placement("openclaw")
    assert placement.place("", None) == Placement("openclaw")
    assert placement.place("agents", application) == Placement("agents")


@pytest.mark.parametrize(
    "files",
    [{UNIT: OURS}, {"openclaw-gateway/applied.json": "{}", ".openclaw/openclaw.json": "{}"}],
    ids=["unit", "data"],
)
def test_one_of_an_earlier_version_is_to_be_moved(application: Account, files: dict[str, str]) -> None:
    for path, text in files.items():
        write(application, path, text)
    found = placement.place("", application)
    assert (found.user, found.former, found.by_hand) == ("openclaw", ME, False)


def test_one_of_an_earlier_version_stays_where_the_operator_says_so(application: Account) -> None:
    write(application, UNIT, OURS)
    found = placement.place(ME, application)
    assert (found.user, found.former, found.holder) == (ME, "", ME)


@pytest.mark.parametrize(
    "files",
    [{UNIT: "[Service]\nExecStart=openclaw\n"}, {".openclaw/openclaw.json": "{}"}],
    ids=["unit", "data"],
)
def test_one_that_was_set_up_by_hand_stays(application: Account, files: dict[str, str]) -> None:
    for path, text in files.items():
        write(application, path, text)
    found = placement.place("", application)
    assert (found.user, found.former, found.by_hand) == (ME, "", True)
    assert placement.place("openclaw", application).former == ME, "unless the operator names another user"


def test_once_it_was_taken_over_it_is_still_one_that_was_set_up_by_hand(application: Account) -> None:
    write(application, UNIT, OURS)
    record(Record(ME, by_hand=True))
    assert placement.place("", application) == Placement(ME, ME, by_hand=True)


def test_root_goes_by_its_own_record_and_not_by_what_the_user_puts_there(application: Account) -> None:
    record(Record("nobody"))
    write(application, UNIT, OURS)
    assert placement.place("", application) == Placement("nobody", "nobody")
    assert holder.present_account("", application).name == "nobody"


def test_the_record_of_a_user_who_is_gone_counts_for_nothing(application: Account) -> None:
    record(Record("not-there-any-more"))
    assert placement.place("", application) == Placement("openclaw")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"user": 3', "null"])
def test_a_record_that_cannot_be_read_counts_for_nothing(application: Account, text: str) -> None:
    placement_record.record_path().parent.mkdir()
    placement_record.record_path().write_text(text)
    assert placement_record.read_record() is None


def test_what_a_moved_gateway_has_left_is_remembered_until_it_is_cleared(application: Account) -> None:
    record(Record("nobody", leaving=ME))
    found = placement.place("", application)
    assert (found.user, found.former, found.leaving) == ("nobody", "", ME)


def test_daily_commands_find_it_where_it_runs_until_a_deployment_has_moved_it(application: Account) -> None:
    write(application, UNIT, OURS)
    assert holder.present_account("", application).name == ME
    assert holder.present_account("openclaw", application).name == ME


def test_a_gateway_of_somebody_else_is_in_the_way_of_a_move_its_own_remains_are_not(
    application: Account,
) -> None:
    assert not placing.occupied(application)
    write(application, ".openclaw/openclaw.json", "{}")
    assert placing.occupied(application)
    record(Record("nobody", entering=ME))
    assert not placing.occupied(application)


def test_a_deployment_is_told_how_the_user_stands(application: Account) -> None:
    write(application, UNIT, OURS)
    found = placing.facts("not-there-yet", application)
    assert (found["user"], found["holder"], found["former"]) == ("not-there-yet", ME, ME)
    assert found["account"] == {
        "exists": False,
        "uid": None,
        "home": None,
        "lingering": False,
        "running": False,
    }
    assert placing.facts("nobody", application)["account"]["uid"] == find_account("nobody").uid


def test_root_writes_it_down_once_for_itself(application: Account) -> None:
    if find_account().uid != 0:
        placing.remember(Record("nobody"))
        assert not placement_record.record_path().exists()
        return
    placing.remember(Record("nobody", entering="x"))
    assert placement_record.read_record() == Record("nobody", entering="x")
    assert placement_record.record_path().stat().st_mode & 0o777 == 0o600
    assert placement_record.record_path().parent.stat().st_mode & 0o777 == 0o700
    written = placement_record.record_path().stat().st_mtime_ns
    placing.remember(Record("nobody", entering="x"))
    assert placement_record.record_path().stat().st_mtime_ns == written
    placing.forget()
    assert placement_record.read_record() is None


def test_what_keeps_the_agents_in_is_written_down() -> None:
    lines = [
        "[Service]",
        "NoNewPrivileges=yes",
        "PrivateTmp=yes",
        "ReadOnlyPaths=-%t/x",
        "ExecStart=/bin/true",
    ]
    assert placement_record.sandbox_of("\n".join([*lines, "PrivateTmp=no"])) == (
        "NoNewPrivileges",
        "ReadOnlyPaths",
    )
    assert placement_record.sandbox_of("") == ()


def test_the_places_that_the_unit_closes_are_made(application: Account) -> None:
    unit_places.make(application)
    unit_places.make(application)
    text = Path(__file__).parents[5].joinpath("roles/gateway/vars/main.yml").read_text()
    directives = yaml.safe_load(text)["__gateway_bus"]
    closed = [path.removeprefix("-%h/") for path in directives["ReadOnlyPaths"].split() if "%h" in path]
    pinned = [path.removeprefix("-%h/") for path in directives["BindPaths"].split()]
    assert (tuple(closed), tuple(pinned)) == (unit_places.READ_ONLY, unit_places.PINNED)
    assert all((Path(application.home) / path).is_dir() for path in (*closed, *pinned))


@pytest.mark.parametrize("way", ["file", "link"])
def test_nothing_else_stands_in_such_a_place(application: Account, way: str) -> None:
    place_ = Path(application.home) / ".config"
    if way == "file":
        place_.write_text("")
    else:
        (Path(application.home) / "elsewhere").mkdir()
        place_.symlink_to("elsewhere")
    with pytest.raises(DeploymentError) as told:
        unit_places.make(application)
    assert told.value.kind == "unit_places" and str(place_) in told.value.message

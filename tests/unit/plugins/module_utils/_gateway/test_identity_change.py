"""Another identity in the place of the present one, and back, however it was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import identity
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import (
    identity_change as change,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "identity/device.json"
    identity.ensure(found)
    return found


def names(path: Path) -> list[str]:
    return sorted(item.name for item in path.parent.iterdir())


def test_it_is_prepared_beside_put_in_place_and_settled(path: Path) -> None:
    old = identity.read(path)
    told = change.prepare(path, True)
    assert told == {"changed": True, "path": f"{path}.next", "device_id": "", "former": old}
    assert names(path) == ["device.json"]
    made = change.prepare(path, False)
    new = made["device_id"]
    assert made["changed"] and made["former"] == old != new and identity.read(path) == old
    assert (path.parent / "device.json.next").stat().st_mode & 0o777 == 0o600
    assert not change.prepare(path, False)["changed"]
    assert change.put(path, True)["changed"] and identity.read(path) == old
    assert change.put(path, False) == {"changed": True, "path": str(path), "device_id": new, "former": old}
    # The next run after an interruption finds it done.
    assert change.prepare(path, False) == {
        "changed": False,
        "path": str(path),
        "device_id": new,
        "former": old,
    }
    assert not change.put(path, False)["changed"]
    assert change.settle(path, False)["changed"] and not change.settle(path, False)["changed"]
    assert identity.read(path) == new and names(path) == ["device.json"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("steps", [["prepare"], ["prepare", "put"], ["prepare", "put", "prepare"]])
def test_it_is_given_back(path: Path, steps: list[str]) -> None:
    old = identity.read(path)
    for step in steps:
        getattr(change, step)(path, False)
    assert change.give_back(path, True)["changed"]
    assert change.give_back(path, False)["device_id"] == old
    assert names(path) == ["device.json"] and not change.give_back(path, False)["changed"]


def test_interrupted_while_it_was_put_in_place(path: Path) -> None:
    old = identity.read(path)
    change.prepare(path, False)
    change.former_of(path).hardlink_to(path)
    assert change.give_back(path, False)["device_id"] == old and names(path) == ["device.json"]
    new = change.prepare(path, False)["device_id"]
    change.former_of(path).hardlink_to(path)
    assert change.prepare(path, False)["device_id"] == new
    assert change.put(path, False)["former"] == old and identity.read(path) == new


def test_without_one_there_is_nothing_to_change(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="no identity"):
        change.prepare(tmp_path / "device.json", False)

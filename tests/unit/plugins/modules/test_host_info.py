# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.modules import host_info
from users_place import OBSTACLES, USER, give, obstruct, users_place


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        host_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


def test_everything_about_this_machine(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "app/releases/one").mkdir(parents=True)
    (tmp_path / "app/current").symlink_to("releases/one")
    me = find_account()
    result = call(
        capsys,
        user=me.name,
        root=str(tmp_path / "app"),
        paths=[str(tmp_path)],
        files=["/etc/passwd"],
        units=["mission-control-backend"],
    )
    assert result["changed"] is False
    assert result["os"]["kernel"] == os.uname().release
    assert result["memory"]["total_bytes"] > result["memory"]["available_bytes"] > 0
    assert result["user"]["uid"] == os.geteuid()
    assert result["user"]["home"] == me.home
    assert result["releases"]["current"] == "one"
    assert result["files"]["/etc/passwd"]["mode"] == "0644"
    assert abs(result["time"] - time.time()) < 60
    assert list(result["units"]) == ["mission-control-backend.service"]


def test_it_returns_what_it_documents(capsys: pytest.CaptureFixture[str]) -> None:
    documented = set(yaml.safe_load(host_info.RETURN))
    assert documented == set(call(capsys, user=find_account().name)) - {"changed", "invocation"}


@pytest.mark.parametrize("kind", OBSTACLES)
def test_a_root_outside_the_home_is_looked_at_with_the_users_rights(
    capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    with users_place() as place:
        private = place.parent / "private"
        private.mkdir(mode=0o700)
        (private / "file").write_text("of root's")
        (place.parent / "secret").write_text('{"id": "of root", "since": "of root", "reason": "of root"}')
        release = place / "app/releases/0123456789ab-01234567"
        release.mkdir(parents=True)
        (place / "app/shared").mkdir()
        (place / "app/inner").symlink_to(private)
        give(place)
        for path in (release / "release.json", place / "app/shared/maintenance.json"):
            obstruct(path, kind)
        files = [str(place / "app/inner/file"), str(place / "app/shared/maintenance.json")]
        result = call(capsys, user=USER, root=str(place / "app"), files=files)
        assert result["files"][files[0]] == {"exists": False}
        assert "of root" not in json.dumps(result)
        assert [one["document"] for one in result["releases"]["available"]] == [None]

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action as Ansible runs it: real inventory, real templating."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.action import preflight
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import trees

TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


def play(
    tmp_path: Path,
    inventory: dict[str, Any],
    arguments: dict[str, Any] | None = None,
    role: str = "",
) -> dict[str, Any]:
    """What the action said. With a role it is called by one that the role depends on, as common is."""
    (tmp_path / "hosts.json").write_text(json.dumps(inventory))
    tasks = [{"name": "Check", "openclaw.mission_control.preflight": arguments or {}}]
    playbook: list[dict[str, Any]] = [{"hosts": "all", "gather_facts": False}]
    if role:
        for name, path, content in (
            ("common", "tasks", tasks),
            (role, "meta", {"dependencies": [{"role": "common"}]}),
        ):
            (tmp_path / "roles" / name / path).mkdir(parents=True, exist_ok=True)
            (tmp_path / "roles" / name / path / "main.yml").write_text(json.dumps(content))
        playbook[0]["roles"] = [role]
    else:
        playbook[0]["tasks"] = tasks
    (tmp_path / "play.json").write_text(json.dumps(playbook))
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    done = subprocess.run(
        ["ansible-playbook", "-i", str(tmp_path / "hosts.json"), str(tmp_path / "play.json")],
        env=os.environ
        | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    (task,) = json.loads(done.stdout)["plays"][0]["tasks"]
    assert TOKEN not in done.stdout
    result: dict[str, Any] = task["hosts"]
    return result


def inventory(**variables: Any) -> dict[str, Any]:
    # No such host: the action must not try to reach it.
    return {"mission_control": {"hosts": {"unreachable.invalid": {}}, "vars": variables}}


def test_good_variables_pass_without_a_connection(tmp_path: Path) -> None:
    result = play(tmp_path, inventory(mission_control_public_url="https://mc", mission_control_token=TOKEN))[
        "unreachable.invalid"
    ]
    assert result["problems"] == []
    assert result["components"] == ["postgresql", "redis", "backend", "worker", "frontend"]
    assert not result.get("failed") and not result["changed"]


def test_all_problems_stand_in_one_message(tmp_path: Path) -> None:
    result = play(
        tmp_path,
        inventory(
            mission_control_public_url="{{ scheme }}://mc/",
            scheme="https",
            mission_control_token="{{ vault_mission_control_token }}",
            mission_control_frontend_port=80,
        ),
    )["unreachable.invalid"]
    assert result["failed"] is True
    lines = result["msg"].splitlines()
    assert lines[0] == "3 problems to put right first; nothing was changed:"
    assert len(lines) == 4
    assert "vault_mission_control_token" in lines[1]
    assert lines[2].startswith("mission_control_public_url: https://mc/ — ends with a slash")
    assert lines[3].startswith("mission_control_frontend_port: 80 — ")
    assert [problem["variable"] for problem in result["problems"]] == [
        "mission_control_token",
        "mission_control_public_url",
        "mission_control_frontend_port",
    ]


def test_a_source_on_the_controller_is_looked_at_before_the_host_is_touched(tmp_path: Path) -> None:
    def problems(source: Path | str, arguments: dict[str, Any] | None = None, **more: str) -> list[str]:
        result = play(
            tmp_path,
            inventory(
                mission_control_public_url="https://mc",
                mission_control_token=TOKEN,
                mission_control_source=str(source),
                **more,
            ),
            arguments,
        )["unreachable.invalid"]
        assert bool(result.get("failed")) == bool(result["problems"])
        return [line for line in result.get("msg", "").splitlines()[1:] if line]

    missing = tmp_path / "nowhere"
    (told,) = problems(missing)
    assert told.startswith(
        f"mission_control_source — {missing} is neither a directory nor an archive on the controller"
    )
    assert ".tar.gz, .tgz, .tar.xz, .txz, .tar.bz2, .tar, .zip" in told
    assert problems(missing, {"components": ["redis"]}) == []
    product = tmp_path / "product"
    (product / "frontend").mkdir(parents=True)
    (product / "frontend" / "package-lock.json").write_text("{}")
    (told,) = problems(product)
    assert told.startswith(
        f"mission_control_source — {product} has no backend/uv.lock; it must be laid out like"
    )
    archive = tmp_path / "product.tgz"
    trees.pack(product, archive)
    (told,) = problems(archive)
    assert "product.tgz has no backend/uv.lock" in told
    (product / "backend").mkdir()
    (product / "backend" / "uv.lock").write_text("")
    assert problems(product) == []
    trees.pack(product, archive)
    assert problems(archive) == []
    (told,) = problems(archive, mission_control_source_checksum="sha256:" + "0" * 64)
    assert told.startswith("mission_control_source_checksum — ") and "not sha256:0000" in told
    assert problems("https://user:hunter2@git.example.com/product") == []
    (told,) = problems("https://example.invalid/product.zip")
    assert told.startswith("mission_control_source_checksum — empty; an archive needs its SHA-256")


@pytest.mark.parametrize(
    ("role", "told"), [("backend", True), ("worker", True), ("redis", False), ("release", False)]
)
def test_a_role_alone_in_somebodys_play_says_itself_what_the_host_will_run(
    tmp_path: Path, role: str, told: bool
) -> None:
    """Its group is called as its owner likes; a short token was told at the end of a migration's log."""
    hosts = {"backends": {"hosts": {"unreachable.invalid": {}}, "vars": {"mission_control_token": "short"}}}
    result = play(tmp_path, hosts, role=role)["unreachable.invalid"]
    found = [problem["variable"] for problem in result["problems"]]
    assert ("mission_control_token" in found) is told and ("mission_control_public_url" in found) is told
    assert result["components"] == ([role] if role != "release" else [])


def test_a_token_that_is_made_anew_each_time_is_told(tmp_path: Path) -> None:
    lookup = "lookup('ansible.builtin.password', '{}', length=64)"
    variables = {"mission_control_public_url": "https://mc"}
    made = inventory(**variables, mission_control_token="{{ " + lookup.format("/dev/null") + " }}")
    (line,) = play(tmp_path, made)["unreachable.invalid"]["msg"].splitlines()[1:]
    assert line.startswith("mission_control_token — gives another value each time it is asked for")
    kept = inventory(**variables, mission_control_token="{{ " + lookup.format(tmp_path / "token") + " }}")
    assert play(tmp_path, kept)["unreachable.invalid"]["problems"] == []


def test_arguments_stand_before_the_inventory(tmp_path: Path) -> None:
    result = play(
        tmp_path,
        inventory(mission_control_public_url="nonsense"),
        {
            "components": ["frontend"],
            "variables": {"mission_control_public_url": "https://mc", "mission_control_token": TOKEN},
            "ports": [{"port": 22, "variable": "my_port"}],
        },
    )["unreachable.invalid"]
    assert [problem["variable"] for problem in result["problems"]] == ["my_port"]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({}, []),
        ({"mission_control": ["h"]}, ["postgresql", "redis", "backend", "worker", "frontend"]),
        (
            {"mission_control": ["h"], "mission_control_backend": []},
            ["postgresql", "redis", "backend", "worker", "frontend"],
        ),
        (
            {"mission_control": ["h", "db"], "mission_control_postgresql": ["db"]},
            ["redis", "backend", "worker", "frontend"],
        ),
        (
            {"mission_control": ["h"], "mission_control_gateway": ["h"]},
            ["postgresql", "redis", "backend", "worker", "frontend", "gateway"],
        ),
        (
            {
                "mission_control": ["h", "x"],
                **{
                    f"mission_control_{name}": ["x"]
                    for name in ("postgresql", "redis", "backend", "worker", "frontend")
                },
            },
            [],
        ),
    ],
)
def test_components_follow_from_the_groups(groups: dict[str, list[str]], expected: list[str]) -> None:
    assert preflight.components_of("h", groups) == expected


# As the role gateway defaults them, where a playbook has that role.
GATEWAY = {
    "gateway_user": "openclaw",
    "gateway_version": "2026.4.2",
    "gateway_backend_protocol": [3],
    "gateway_protocol_policy": "refuse",
    "gateway_backend_hosts": "{{ groups.mission_control }}",
    "gateway_bind": "loopback",
    "gateway_bind_host": "",
    "gateway_port": "{{ mission_control_gateway_port | default(18789) }}",
    "gateway_url": "ws://127.0.0.1:{{ gateway_port }}",
    "gateway_token": "",
    "gateway_allowed_origins": [],
    "gateway_configuration": {},
    "gateway_registrations": [{"name": "main"}],
    "gateway_boards": [],
}


def with_gateway(**variables: Any) -> dict[str, Any]:
    common = {"mission_control_public_url": "https://mc", "mission_control_token": TOKEN}
    found = inventory(**common, **GATEWAY, **variables)
    found["mission_control_gateway"] = {"hosts": {"unreachable.invalid": {}}}
    return found


def test_mistakes_of_a_gateway_stand_with_all_others(tmp_path: Path) -> None:
    secret = "s3cr3t and more"
    told = with_gateway(mission_control_gateway_port=0, mission_control_frontend_port=80)
    told["mission_control"]["vars"] |= {"gateway_version": "2026.9.6", "gateway_token": secret}
    result = play(tmp_path, told)["unreachable.invalid"]
    assert result["failed"] is True and secret not in str(result)
    lines = result["msg"].splitlines()
    assert lines[0] == "4 problems to put right first; nothing was changed:"
    assert lines[1].startswith("mission_control_frontend_port: 80 — ")
    assert "gateway protocol 4" in lines[2] and "2026.2.9 to 2026.5.7" in lines[2]
    assert lines[3].startswith("gateway_port: 0 — is not a valid port")
    assert lines[4].startswith("gateway_token — ")


def test_the_ports_that_will_be_listened_on_are_those_of_what_runs_here(tmp_path: Path) -> None:
    """Two of our own that collide are told, the gateway's port included."""
    told = with_gateway(mission_control_gateway_port=3000)
    (line,) = play(tmp_path, told)["unreachable.invalid"]["msg"].splitlines()[1:]
    assert line.startswith("gateway_port: 3000 — is that of mission_control_frontend_port too")


def test_a_gateway_that_may_be_meant_only_warns(tmp_path: Path) -> None:
    told = with_gateway()
    told["mission_control"]["vars"] |= {"gateway_version": "2026.9.6", "gateway_protocol_policy": "warn"}
    result = play(tmp_path, told)["unreachable.invalid"]
    assert result["problems"] == []
    assert [warning for warning in result["warnings"] if "protocol mismatch" in warning]


def test_a_setting_of_another_kind_or_without_its_vault_is_told(tmp_path: Path) -> None:
    told = with_gateway(mission_control_gateway_port="18789/tcp")
    told["mission_control"]["vars"] |= {"gateway_boards": "{{ vault_boards }}"}
    result = play(tmp_path, told)["unreachable.invalid"]
    assert [line.split(";")[0] for line in result["msg"].splitlines()[1:]] == [
        "gateway_port — has to be of type int",
        "gateway_boards — cannot be resolved: 'vault_boards' is undefined",
    ]


def test_a_host_without_a_gateway_has_only_its_registrations_looked_at(tmp_path: Path) -> None:
    told = with_gateway(mission_control_gateway_port=0)
    del told["mission_control_gateway"]
    result = play(tmp_path, told)["unreachable.invalid"]
    assert [problem["variable"] for problem in result["problems"]] == [
        "mission_control_gateways[0].url",
        "mission_control_gateways[0].token",
    ]

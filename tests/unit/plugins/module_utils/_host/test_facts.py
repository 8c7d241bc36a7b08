# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils import _inspection
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import facts as _facts
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import places, records

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'
UBUNTU = 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DEBIAN, {"id": "debian", "version": "13", "codename": "trixie", "like": [], "init": "systemd"}),
        (UBUNTU, {"id": "ubuntu", "version": "24.04", "like": ["debian"], "name": "ubuntu"}),
        (None, {"id": "unknown", "version": "", "name": "unknown"}),
    ],
)
def test_operating_system(tmp_path: Path, text: str | None, expected: dict[str, Any]) -> None:
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    if text is not None:
        (tmp_path / "etc/os-release").write_text(text)
    facts = _facts.os_facts(tmp_path)
    assert {key: facts[key] for key in expected} == expected
    assert facts["architecture"] == os.uname().machine


def test_pythons_newest_first_and_links_once(tmp_path: Path) -> None:
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    for name in ("python3.9", "python3.13", "python3.12"):
        (bin_directory / name).write_text("#!/bin/sh\n")
        (bin_directory / name).chmod(0o755)
    (bin_directory / "python3.13-config").write_text("")
    (bin_directory / "python3.14").write_text("not executable")
    (bin_directory / "python3").symlink_to("python3.13")
    ensurepip = tmp_path / "lib/python3.13/ensurepip"
    ensurepip.mkdir(parents=True)
    (ensurepip / "__init__.py").write_text("")
    found = _facts.python_facts([tmp_path / "none", bin_directory])
    assert [(entry["version"], entry["suitable"], entry["venv"]) for entry in found] == [
        ("3.13", True, True),
        ("3.12", True, False),
        ("3.9", False, False),
    ]
    assert found[0]["path"] == str(bin_directory / "python3.13")


def test_disk_of_a_missing_path_is_that_of_its_parent(tmp_path: Path) -> None:
    wanted = str(tmp_path / "not/yet/there")
    facts = _facts.disk_facts([wanted])[wanted]
    assert facts["checked"] == str(tmp_path)
    assert 0 < facts["available_bytes"] <= facts["total_bytes"]


def test_packages_are_installed_only_when_dpkg_says_so() -> None:
    calls = []

    def run(argv: Sequence[str], **_options: Any) -> Completed:
        calls.append(list(argv))
        return Completed(
            tuple(argv),
            1,
            "git\tinstalled\t1:2.47\nredis\tconfig-files\t8.0\n",
            "dpkg-query: no packages found matching nothing\n",
        )

    assert _facts.package_facts(["git", "redis", "nothing"], run) == {
        "git": "1:2.47",
        "redis": None,
        "nothing": None,
    }
    assert len(calls) == 1
    assert _facts.package_facts([], run) == {}
    assert len(calls) == 1


def test_packages_of_a_host_without_dpkg_are_not_installed() -> None:
    def run(argv: Sequence[str], **_options: Any) -> Completed:
        raise HostError("no dpkg-query", kind="no_such_command")

    assert _facts.package_facts(["git"], run) == {"git": None}


def test_files_links_and_directories(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    (tmp_path / "link").symlink_to("secret")
    assert _facts.file_facts(str(tmp_path / "none")) == {"exists": False}
    facts = _facts.file_facts(str(secret))
    assert (facts["kind"], facts["mode"], facts["size"]) == ("file", "0600", 1)
    assert facts["sha256"] == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    link = _facts.file_facts(str(tmp_path / "link"))
    assert (link["kind"], link["target"]) == ("link", "secret")
    assert "sha256" not in link
    assert _facts.file_facts(str(tmp_path))["kind"] == "directory"


def test_releases_oldest_first_with_current_and_partial(tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    for age, name in enumerate(("bbb-2", "aaa-1", ".ccc-3.partial")):
        (releases / name).mkdir(parents=True)
        os.utime(releases / name, (1000 + age, 1000 + age))
    (releases / "aaa-1/release.json").write_text(json.dumps({"revision": "aaa"}))
    (releases / "bbb-2/release.json").write_text("{broken")
    os.utime(releases / "aaa-1", (1001, 1001))
    os.utime(releases / "bbb-2", (1000, 1000))
    (tmp_path / "current").symlink_to("releases/aaa-1")
    facts = records.release_facts(str(tmp_path))
    assert (facts["current"], facts["current_target"]) == ("aaa-1", "releases/aaa-1")
    assert facts["gateway_platform"] == "linux"
    assert [(entry["id"], entry["partial"]) for entry in facts["available"]] == [
        ("bbb-2", False),
        ("aaa-1", False),
        ("ccc-3", True),
    ]
    assert [entry["document"] for entry in facts["available"]] == [None, {"revision": "aaa"}, None]


def test_releases_of_a_bare_host(tmp_path: Path) -> None:
    root = str(tmp_path / "none")
    assert records.release_facts(root) == {
        "root": root,
        "current": None,
        "current_target": None,
        "available": [],
        "gateway_platform": None,
    }


@pytest.mark.parametrize(
    ("cwd", "expected"),
    [
        ("/home/mc/mission-control/releases/abc-1/backend", "abc-1"),
        ("/home/mc/mission-control/releases/abc-1", "abc-1"),
        ("/home/mc/mission-control/backend", None),
        ("/home/other/mission-control/releases/abc-1", None),
        (None, None),
    ],
)
def test_the_release_of_a_process(cwd: str | None, expected: str | None) -> None:
    assert places.release_of(cwd, "/home/mc/mission-control") == expected


def test_a_host_without_the_user_is_described_all_the_same() -> None:
    result = _inspection.collect(
        _inspection.HostRequest(
            user="nobody-here", root="~/mission-control", units=["a"], files=["~/x"], paths=["~"]
        )
    )
    assert result["user"]["exists"] is False
    assert result["user"]["manager"]["running"] is False
    assert result["units"] == {"a.service": None}
    assert result["files"] == {"/home/nobody-here/x": {"exists": False}}
    assert result["releases"]["root"] == "/home/nobody-here/mission-control"
    assert list(result["disk"]) == ["/home/nobody-here"]
    json.dumps(result)


def test_without_a_manager_units_are_unknown_not_wrong() -> None:
    account = Account("x", 123456, 123456, "/home/x")
    assert _inspection.unit_facts(account, ["a", "b.socket"], None) == {"a.service": None, "b.socket": None}


def test_a_password_on_a_command_line_is_not_returned() -> None:
    program = "print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "postgresql://u:hidden@h/d"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()  # from here on it is the program and no longer a copy of this process
        facts = _inspection._process_facts(child.pid, None)
        child.communicate(b"\n")
    assert facts is not None
    assert facts["pid"] == child.pid
    assert facts["command"][-1] == "postgresql://u:********@h/d"


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"user/max_user_namespaces": "31000"}, True),
        ({"user/max_user_namespaces": "0"}, False),
        ({"user/max_user_namespaces": "31000", "kernel/unprivileged_userns_clone": "0"}, False),
        ({"user/max_user_namespaces": "31000", "kernel/unprivileged_userns_clone": "1"}, True),
        ({"user/max_user_namespaces": "31000", "kernel/apparmor_restrict_unprivileged_userns": "1"}, False),
        ({}, False),
    ],
)
def test_whether_users_may_make_namespaces(tmp_path: Path, settings: dict[str, str], allowed: bool) -> None:
    for name, value in settings.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{value}\n")
    assert _facts.user_namespaces(tmp_path) is allowed


@pytest.mark.parametrize(
    ("base", "configuration", "virtual", "lacks"),
    [
        ("/usr", None, False, False),
        ("/usr", "home = /usr/bin\ninclude-system-site-packages = false\n", True, True),
        ("/usr", "home = /usr/bin\ninclude-system-site-packages = true\n", True, False),
        # Another Python than the distribution's has packages of its own, too.
        ("/opt/python", None, False, True),
        ("/opt/python", "include-system-site-packages = true\n", True, True),
    ],
)
def test_what_the_interpreter_of_ansible_will_not_find(
    tmp_path: Path, base: str, configuration: str | None, virtual: bool, lacks: bool
) -> None:
    if configuration is not None:
        (tmp_path / "pyvenv.cfg").write_text(configuration)
    prefix = base if configuration is None else str(tmp_path)
    facts = _facts.interpreter_facts(prefix, base, ("json", "no_such_library"))
    assert facts["virtual"] is virtual
    assert facts["missing"] == (["no_such_library"] if lacks else [])

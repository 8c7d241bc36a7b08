# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module that makes bundles, with the real apt and a repository of two packages on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils import _bundle
from ansible_collections.openclaw.mission_control.plugins.module_utils._bundle_build import build
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.builds import BuildCommands
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import (
    NO_LOG,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import runtimes
from ansible_collections.openclaw.mission_control.plugins.modules import bundle_build

PASSWORD = "hunter2hunter2"
SANDBOX = 'APT::Sandbox::User "root";\n'  # its own user may not look into a test's directory


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment in which apt knows the two packages, of which one depends on the other."""
    monkeypatch.setattr(runtimes, "MINIMUM_PYTHON", (3, 11))
    repository = tmp_path / "repository"
    repository.mkdir()
    stanzas = []
    for name, more in (("mc-thing", "Depends: mc-other (>= 1)\n"), ("mc-other", "")):
        control = tmp_path / name / "DEBIAN/control"
        control.parent.mkdir(parents=True)
        control.write_text(
            f"Package: {name}\nVersion: 1:1.0\nArchitecture: all\n{more}"
            "Maintainer: nobody <nobody@invalid>\nDescription: a thing\n"
        )
        path = repository / f"{name}_1.0_all.deb"
        subprocess.run(
            ["dpkg-deb", "--build", str(control.parents[1]), str(path)], check=True, capture_output=True
        )
        fields = subprocess.run(
            ["dpkg-deb", "--field", str(path)], check=True, capture_output=True, text=True
        )
        stanzas.append(build.stanza(fields.stdout, path))
    (repository / "Packages").write_text("\n".join(stanzas))
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{repository} ./\n")
    settings = f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\nDir::Etc::sourceparts "/dev/null";\n'
    (tmp_path / "apt.conf").write_text(settings + SANDBOX)
    return {"APT_CONFIG": str(tmp_path / "apt.conf"), "SOME_TOKEN": PASSWORD}


def call(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, apt: dict[str, str], *packages: str
) -> dict[str, Any]:
    arguments = {
        "work": str(tmp_path / "work"),
        "user": find_account().name,
        "packages": list(packages),
        "python": sys.executable,
        "download_environment": apt,
        "made_by": "somebody@there",
    }
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        bundle_build.main()
    output = capsys.readouterr().out
    assert PASSWORD not in output.replace(json.dumps(apt["SOME_TOKEN"]), "")
    result: dict[str, Any] = json.loads(output)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


def test_a_bundle_holds_what_the_packages_depend_on_and_apt_takes_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, apt: dict[str, str]
) -> None:
    made = call(capsys, tmp_path, apt, "mc-thing")
    bundle = Path(made["bundle"])
    assert made["changed"] and made["size"] == bundle.stat().st_size
    manifest = _bundle.read_manifest(bundle)
    assert manifest["packages"] == ["mc-thing"] and list(manifest["parts"]) == ["packages.tar"]
    assert manifest["created_by"] == "somebody@there"

    # On a host: apt knows these packages, and no others.
    directory = tmp_path / "host"
    wanted = _bundle.wanted_parts(manifest, ["postgresql"])
    commands = BuildCommands(NO_LOG, {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    (tmp_path / "sandbox.conf").write_text(SANDBOX)
    _bundle.install(directory, wanted, list(wanted), bundle, commands)
    listed = subprocess.run(
        ["apt-cache", "policy", "mc-thing", "mc-other", "dpkg-dev"],
        env={**os.environ, "APT_CONFIG": str(directory / "apt.conf"), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert listed.count("Candidate: 1:1.0") == 2
    assert listed.count(f"file:{directory}/packages ./ Packages") == 2 and "http" not in listed


def test_made_again_without_a_change_it_is_the_same_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, apt: dict[str, str]
) -> None:
    first = call(capsys, tmp_path, apt, "mc-thing")
    before = Path(first["bundle"]).stat()
    second = call(capsys, tmp_path, apt, "mc-thing")
    assert (second["changed"], second["sha256"]) == (False, first["sha256"])
    assert Path(second["bundle"]).stat() == before
    third = call(capsys, tmp_path, apt, "mc-other")
    assert third["changed"] and third["sha256"] != first["sha256"]


def test_a_package_that_is_unknown_there_is_told_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, apt: dict[str, str]
) -> None:
    told = call(capsys, tmp_path, apt, "mc-nowhere")
    assert told["msg"].startswith("Finding what the packages depend on failed")
    assert "apt sources of this machine" in told["remedy"]
    assert any("mc-nowhere" in line for line in told["output"])

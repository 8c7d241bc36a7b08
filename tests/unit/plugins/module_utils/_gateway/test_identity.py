"""The device identity, in the form that the product reads and writes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import (
    backend_platform,
    gateway_support,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import identity
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)


def test_made_once_private_and_in_the_products_form(tmp_path: Path) -> None:
    path = tmp_path / "identity" / "device.json"
    identifier, made = identity.ensure(path, now=lambda: 1_700_000_000.5)
    assert made
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    told = json.loads(path.read_text())
    assert set(told) == {"version", "deviceId", "publicKeyPem", "privateKeyPem", "createdAtMs"}
    assert (told["version"], told["createdAtMs"], told["deviceId"]) == (1, 1_700_000_000_500, identifier)
    # The keys belong together, and openssl can sign with them what the public half verifies.
    derived = subprocess.run(
        ["openssl", "pkey", "-pubout"],
        input=told["privateKeyPem"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert derived.stdout == told["publicKeyPem"]
    before = path.read_bytes()
    assert identity.ensure(path) == (identifier, False)
    assert path.read_bytes() == before


def test_that_of_an_older_installation_is_copied_once(tmp_path: Path) -> None:
    old, path = tmp_path / "old.json", tmp_path / "identity" / "device.json"
    known, _made = identity.ensure(old)
    assert identity.ensure(path, str(old)) == (known, True)
    assert path.read_bytes() == old.read_bytes() and path.stat().st_mode & 0o777 == 0o600
    old.write_text("{}")
    assert identity.ensure(path, str(old)) == (known, False)
    other = tmp_path / "other.json"
    assert identity.ensure(other, str(tmp_path / "missing.json"))[0] != known


def test_device_id_is_the_digest_of_the_raw_key() -> None:
    # RFC 8032, test 1: the public key, and its SHA-256 by sha256sum.
    pem = (
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
        "-----END PUBLIC KEY-----\n"
    )
    assert identity.device_id(pem) == "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9"


def test_open_permissions_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    identity.ensure(path)
    path.chmod(0o644)
    assert not identity.ensure(path)[1]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"publicKeyPem": "x", "privateKeyPem": "y"}'])
def test_a_broken_identity_is_never_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "device.json"
    path.write_text(text)
    with pytest.raises(DeploymentError, match=r"device\.json") as error:
        identity.ensure(path)
    assert "backup" in error.value.remedy
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # As the product's revisions of 2026-02-22 and later are, and those before it.
        (
            "PROTOCOL_VERSION = 3\nasync def openclaw_connect_metadata(): ...\n"
            '{"minProtocol": PROTOCOL_VERSION, "maxProtocol": PROTOCOL_VERSION}',
            {"protocols": [3, 3], "version_from_greeting": True},
        ),
        (
            'PROTOCOL_VERSION: int = 3  # all that there is\n{"minProtocol": PROTOCOL_VERSION,\n'
            '"maxProtocol": PROTOCOL_VERSION}',
            {"protocols": [3, 3], "version_from_greeting": False},
        ),
        (
            'NEWEST = 4\n{"minProtocol": 3, "maxProtocol": NEWEST}',
            {"protocols": [3, 4], "version_from_greeting": False},
        ),
        ('{"minProtocol": oldest(), "maxProtocol": NEWEST}', None),
        ("", None),
    ],
)
def test_what_a_revision_can_do_stands_in_its_source(tmp_path: Path, text: str, told: object) -> None:
    program = tmp_path / "app/services/openclaw/gateway_rpc.py"
    program.parent.mkdir(parents=True)
    program.write_text(text)
    assert gateway_support.support_of(tmp_path) == told
    assert gateway_support.support_of(tmp_path / "elsewhere") is None


def test_the_platform_is_what_the_backend_will_say(tmp_path: Path) -> None:
    own = os.uname().sysname.lower()
    assert backend_platform.platform_of(tmp_path) == own
    program = tmp_path / "app/services/openclaw/gateway_rpc.py"
    program.parent.mkdir(parents=True)
    program.write_text('{"version": "1.0.0", "platform": "python", "mode": MODE}')
    assert backend_platform.platform_of(tmp_path) == "python"
    program.write_text('{"version": "1.0.0", "platform": _HOST_PLATFORM, "mode": MODE}')
    assert backend_platform.platform_of(tmp_path) == own

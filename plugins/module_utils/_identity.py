# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The backend's identity at gateways: an Ed25519 key that is made once and outlives every release.

Backend and worker both make one where none is, at the same moment; hence it is made before either starts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.openclaw.mission_control.plugins.module_utils import _tree
from ansible_collections.openclaw.mission_control.plugins.module_utils._runner import DeploymentError

# What precedes the 32 bytes of a public Ed25519 key in its DER form (RFC 8410).
_PUBLIC_PREFIX = bytes.fromhex("302a300506032b6570032100")
_REMEDY = "Restore it from a backup. A new identity would have to be paired with every gateway."


def _openssl(arguments: list[str], text: str = "") -> str:
    try:
        done = subprocess.run(
            ["openssl", *arguments],
            input=text,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=30,
        )
    except FileNotFoundError:
        raise DeploymentError(
            "There is no openssl on this host, which makes the backend's identity key.",
            kind="no_such_command",
            remedy="Install the package openssl.",
        ) from None
    if done.returncode != 0:
        raise DeploymentError(f"openssl {arguments[0]} failed: {done.stderr.strip()}.", kind="command_failed")
    return done.stdout


def device_id(public_key_pem: str) -> str:
    """What gateways know the device by: SHA-256 of the raw public key."""
    body = "".join(line for line in public_key_pem.splitlines() if not line.startswith("-----"))
    der = base64.b64decode(body, validate=True)
    if not der.startswith(_PUBLIC_PREFIX) or len(der) != len(_PUBLIC_PREFIX) + 32:
        raise ValueError("no Ed25519 public key")
    return hashlib.sha256(der[len(_PUBLIC_PREFIX) :]).hexdigest()


def read(path: Path) -> str | None:
    """The device id of an existing identity; None when there is none."""
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise DeploymentError(f"{path} is not JSON.", kind="bad_identity", remedy=_REMEDY) from None
    try:
        if not told["privateKeyPem"].strip():
            raise ValueError
        return device_id(told["publicKeyPem"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise DeploymentError(
            f"{path} holds no Ed25519 identity.", kind="bad_identity", remedy=_REMEDY
        ) from None


def ensure(path: Path, copied_from: str = "", now: Callable[[], float] = time.time) -> tuple[str, bool]:
    """The device id, and whether it was made (or copied from that of an older installation) now."""
    found = read(path)
    if found is not None:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return found, False
    if copied_from and (known := read(Path(copied_from))) is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _tree.write_atomically(path, Path(copied_from).read_text(encoding="utf-8"), 0o600)
        return known, True
    private = _openssl(["genpkey", "-algorithm", "ED25519"])
    public = _openssl(["pkey", "-pubout"], private)
    made = device_id(public)
    document = {
        "version": 1,
        "deviceId": made,
        "publicKeyPem": public,
        "privateKeyPem": private,
        "createdAtMs": int(now() * 1000),
    }
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(path.parent, 0o700)  # noqa: PTH101
    _tree.write_atomically(path, json.dumps(document, indent=2) + "\n", 0o600)
    return made, True

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._host import files
from .._host.errors import DeploymentError
from .errors import GatewayError

_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")  # an Ed25519 public key in DER begins with this


# --- device identity -------------------------------------------------------------------------------


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def public_key_bytes(pem: str) -> bytes:
    """The 32 bytes of an Ed25519 public key in PEM."""
    body = "".join(line for line in pem.split("\n") if line and not line.startswith("-----"))
    try:
        der = base64.b64decode(body, validate=True)
    except ValueError:
        der = b""
    if len(der) != len(_SPKI_PREFIX) + 32 or not der.startswith(_SPKI_PREFIX):
        raise GatewayError("identity", "The public key of the device identity is no Ed25519 key.")
    return der[len(_SPKI_PREFIX) :]


def device_id_of(public_key: str) -> str:
    """The device id that belongs to a public key in the gateway's form (base64url)."""
    try:
        raw = base64.urlsafe_b64decode(public_key + "=" * (-len(public_key) % 4))
    except ValueError:
        return ""
    return hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True)
class Identity:
    """The device as which a client connects. Its private key goes to openssl's standard input alone."""

    device_id: str
    public_key: str
    private_key_pem: str

    def __repr__(self) -> str:
        return f"Identity({self.device_id})"

    def sign(self, text: str) -> str:
        """The signature of a text, base64url."""
        # For Ed25519 pkeyutl wants a file of known size. The text holds the token, so the file has no name.
        message = os.memfd_create("openclaw-sign")
        try:
            os.write(message, text.encode())
            os.lseek(message, 0, os.SEEK_SET)
            done = subprocess.run(
                [
                    *("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "/dev/stdin"),
                    *("-in", f"/proc/self/fd/{message}"),
                ],
                input=self.private_key_pem.encode(),
                capture_output=True,
                check=False,
                timeout=30,
                pass_fds=(message,),
            )
        except FileNotFoundError:
            raise GatewayError(
                "identity", "The command openssl is missing.", remedy="Install the package openssl."
            ) from None
        finally:
            os.close(message)
        if done.returncode != 0 or len(done.stdout) != 64:
            raise GatewayError(
                "identity", "openssl could not sign with the private key of the device identity."
            )
        return _base64url(done.stdout)


def read_identity(path: Path) -> Identity:
    """The identity file of a backend (or of the OpenClaw command line: the format is the same)."""
    try:
        document = json.loads(files.read_regular(path))
        public, private = str(document["publicKeyPem"]), str(document["privateKeyPem"])
    except FileNotFoundError:
        raise GatewayError("identity", f"There is no device identity at {path}.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GatewayError(
            "identity", f"The device identity {path} cannot be read ({type(error).__name__})."
        ) from None
    raw = public_key_bytes(public)
    return Identity(hashlib.sha256(raw).hexdigest(), _base64url(raw), private)


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
        record: Any = json.loads(files.read_regular(path))
    except FileNotFoundError:
        return None
    except ValueError:
        raise DeploymentError(f"{path} is not JSON.", kind="bad_identity", remedy=_REMEDY) from None
    try:
        if not record["privateKeyPem"].strip():
            raise ValueError
        return device_id(record["publicKeyPem"])
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
        files.write_atomically(path, files.read_regular(Path(copied_from)), 0o600)
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
    files.write_atomically(path, json.dumps(document, indent=2) + "\n", 0o600)
    return made, True

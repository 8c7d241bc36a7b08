# SPDX-License-Identifier: GPL-3.0-or-later
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

from .._host import files, reading
from .._host.deployment_errors import DeploymentError
from .._plain_json import parse_json
from .errors import GatewayError

# What precedes the 32 bytes of a public Ed25519 key in its DER form (RFC 8410).
_PUBLIC_PREFIX = bytes.fromhex("302a300506032b6570032100")
_REMEDY = "Restore it from a backup. A new identity would have to be paired with every gateway."


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def public_key_bytes(pem: str) -> bytes:
    """The 32 bytes of an Ed25519 public key in PEM."""
    body = "".join(line for line in pem.splitlines() if not line.startswith("-----"))
    try:
        der = base64.b64decode(body, validate=True)
    except ValueError:
        der = b""
    if len(der) != len(_PUBLIC_PREFIX) + 32 or not der.startswith(_PUBLIC_PREFIX):
        raise GatewayError("identity", "The public key of the device identity is not an Ed25519 key.")
    return der[len(_PUBLIC_PREFIX) :]


def device_id(public_key_pem: str) -> str:
    """What gateways know the device by: SHA-256 of the raw public key."""
    return hashlib.sha256(public_key_bytes(public_key_pem)).hexdigest()


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
            signature = _openssl(
                [
                    *("pkeyutl", "-sign", "-rawin", "-inkey", "/dev/stdin"),
                    *("-in", f"/proc/self/fd/{message}"),
                ],
                self.private_key_pem.encode(),
                pass_fds=(message,),
            )
        finally:
            os.close(message)
        return _base64url(signature)


def _openssl(arguments: list[str], data: bytes = b"", pass_fds: tuple[int, ...] = ()) -> bytes:
    """What openssl makes of the data. Of its complaints nothing is told: they may quote a key."""
    try:
        done = subprocess.run(
            ["openssl", *arguments],
            input=data,
            capture_output=True,
            check=False,
            timeout=30,
            pass_fds=pass_fds,
        )
    except FileNotFoundError:
        raise GatewayError(
            "identity", "The command openssl is missing.", remedy="Install the package openssl."
        ) from None
    if done.returncode != 0 or not done.stdout:
        raise GatewayError(
            "identity", f"openssl {arguments[0]} failed with the key of the device identity.", remedy=_REMEDY
        )
    return done.stdout


def read_identity(path: Path) -> Identity:
    """The identity file of a backend (or of the OpenClaw command line: the format is the same)."""
    try:
        document = parse_json(reading.read_regular(path))
        public, private = str(document["publicKeyPem"]), str(document["privateKeyPem"])
    except FileNotFoundError:
        raise GatewayError("identity", f"There is no device identity at {path}.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GatewayError(
            "identity", f"The device identity {path} cannot be read ({type(error).__name__})."
        ) from None
    if not private.strip():
        raise GatewayError("identity", f"The device identity {path} has no private key.")
    return Identity(device_id(public), _base64url(public_key_bytes(public)), private)


def read(path: Path) -> str | None:
    """The device id of an existing identity; None when there is none.

    A broken one is an error: somebody has to decide about it, because gateways know no other.
    """
    if not path.exists():
        return None
    try:
        return read_identity(path).device_id
    except GatewayError as error:
        raise DeploymentError(
            f"{path} holds no Ed25519 identity: {error.message}", kind="bad_identity", remedy=_REMEDY
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
        files.write_atomically(path, reading.read_regular(Path(copied_from)), 0o600)
        return known, True
    private = _openssl(["genpkey", "-algorithm", "ED25519"]).decode()
    public = _openssl(["pkey", "-pubout"], private.encode()).decode()
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

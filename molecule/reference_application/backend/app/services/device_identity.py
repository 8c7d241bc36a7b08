"""This installation's identity at a gateway: an Ed25519 key in a file that only its owner can read."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def identity_path() -> Path:
    # From the process environment only, like the product: a line in .env alone does not count.
    given = os.environ.get("OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH", "").strip()
    return Path(given).expanduser() if given else Path.home() / ".openclaw" / "identity" / "device.json"


def url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class DeviceIdentity:
    key: Ed25519PrivateKey

    @property
    def public_bytes(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def device_id(self) -> str:
        return hashlib.sha256(self.public_bytes).hexdigest()

    def sign(self, text: str) -> str:
        return url_safe(self.key.sign(text.encode()))


def _read(path: Path) -> DeviceIdentity:
    document = json.loads(path.read_text(encoding="utf-8"))
    key = serialization.load_pem_private_key(document["privateKeyPem"].encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} holds no Ed25519 key")
    return DeviceIdentity(key)


def load_or_create() -> DeviceIdentity:
    path = identity_path()
    if path.exists():
        return _read(path)
    identity = DeviceIdentity(Ed25519PrivateKey.generate())
    private = identity.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = identity.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    document = {
        "version": 1,
        "deviceId": identity.device_id,
        "publicKeyPem": public.decode(),
        "privateKeyPem": private.decode(),
        "createdAtMs": int(time.time() * 1000),
    }
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Complete before it has its name, and never over another process's: the first one wins.
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(document, indent=2) + "\n")
    try:
        os.link(partial, path)
    except FileExistsError:
        return _read(path)
    finally:
        partial.unlink()
    return identity

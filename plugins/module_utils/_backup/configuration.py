# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role backup has written for the timer, the host command and the modules. Root's alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._application.components import PORTS
from .._application.root_state import STATE_DIRECTORY
from .._host import reading
from .._host.accounts import Account, expand_home, find_account
from .._host.deployment_errors import DeploymentError
from .._plain_json import parse_json

CONFIGURATION = Path("/etc/mission-control/backup.json")
# The password of the repository, the keys to it, restic's cache, and what is known of the last runs.
DIRECTORY = STATE_DIRECTORY / "backup"
DATABASE, SETTINGS, GATEWAY, MANIFEST = "database", "settings", "gateway", "manifest"
PARTS = (DATABASE, SETTINGS, GATEWAY)
FILE_NAMES = {
    DATABASE: "database.dump",
    SETTINGS: "settings.tar",
    GATEWAY: "gateway.tar",
    MANIFEST: "manifest.json",
}
# Seconds that clocks may differ.
CLOCKS = 300.0
KEEP = {"daily": 7, "weekly": 4, "monthly": 6}
# restic writes tags and host names one after the other, parted by commas.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_AWAY = re.compile(r"(sftp|s3|rest|b2|azure|gs|swift|rclone):")


@dataclass(frozen=True)
class Configuration:
    """`host` and `environment` tell this host's restore points from those of others in one repository."""

    repository: str
    host: str
    environment: str
    user: str
    root: str
    gateway_user: str = ""
    gateway_state: str = "~/.openclaw"
    gateway_root: str = "~/openclaw-gateway"
    parts: tuple[str, ...] = (DATABASE, SETTINGS)
    keep: Mapping[str, int] = field(default_factory=lambda: dict(KEEP))
    collection: str = ""
    # Whether the database is one of this host's own server, whose administrator can make a scratch database.
    own_server: bool = False
    # Whether that server's write-ahead log is archived, and where it listens.
    wal: bool = False
    wal_port: int = PORTS["postgresql"]
    # The application's database and role there, as they were deployed: its user's settings are not asked.
    database: str = "mission_control"
    login: str = "mission_control"
    directory: Path = DIRECTORY

    @property
    def account(self) -> Account:
        return find_account(self.user)

    @property
    def gateway_account(self) -> Account:
        return find_account(self.gateway_user or self.user)

    @property
    def root_directory(self) -> Path:
        return Path(expand_home(self.root, self.account))

    @property
    def leaves_the_host(self) -> bool:
        """Whether the repository outlives this host, as far as its address tells."""
        return bool(_AWAY.match(self.repository))

    @property
    def password_file(self) -> Path:
        return self.directory / "password"

    @property
    def credentials_file(self) -> Path:
        return self.directory / "credentials.json"


def not_permitted() -> DeploymentError:
    """What is said to everybody else."""
    return DeploymentError(
        "Only root may make, see and restore backups.",
        kind="not_permitted",
        remedy="Run as root: become: true, or sudo.",
    )


def read(path: Path = CONFIGURATION) -> Configuration:
    """Read it, or say what is missing."""
    try:
        data = parse_json(reading.read_regular(path))
        return configuration_of(data)
    except FileNotFoundError:
        raise DeploymentError(
            f"Backups are not set up on this host: {path} does not exist.",
            kind="not_set_up",
            remedy="Deploy with mission_control_backup: true (the default).",
        ) from None
    except PermissionError:
        raise not_permitted() from None
    except (ValueError, KeyError, TypeError) as error:
        raise DeploymentError(
            f"{path} is damaged ({error}).", kind="bad_configuration", remedy="Deploy again (role backup)."
        ) from None


def configuration_of(data: Mapping[str, Any]) -> Configuration:
    for name in ("host", "environment", "database", "login"):
        if not _NAME.fullmatch(str(data.get(name, "x"))):
            raise ValueError(f"{name}: {data.get(name)!r} holds other characters than letters, digits, . _ -")
    return Configuration(
        repository=str(data["repository"]),
        host=str(data["host"]),
        environment=str(data["environment"]),
        user=str(data["user"]),
        root=str(data["root"]),
        gateway_user=str(data.get("gateway_user") or ""),
        gateway_state=str(data.get("gateway_state") or "~/.openclaw"),
        gateway_root=str(data.get("gateway_root") or "~/openclaw-gateway"),
        parts=tuple(part for part in PARTS if part in data["parts"]),
        keep={name: int(data.get("keep", KEEP).get(name, KEEP[name])) for name in KEEP},
        collection=str(data.get("collection") or ""),
        own_server=data.get("own_server") is True,
        wal=data.get("wal") is True,
        wal_port=int(data.get("wal_port") or PORTS["postgresql"]),
        database=str(data.get("database") or "mission_control"),
        login=str(data.get("login") or "mission_control"),
        directory=Path(data.get("directory") or DIRECTORY),
    )


def read_credentials(configuration: Configuration) -> dict[str, str]:
    """The variables that open the repository, S3's keys say; none for a directory."""
    try:
        found = parse_json(reading.read_regular(configuration.credentials_file))
    except FileNotFoundError:
        return {}
    return {str(name): str(value) for name, value in found.items()}

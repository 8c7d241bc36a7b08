"""Secrets as they are in use on the host."""

from __future__ import annotations

import json
import secrets
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from asking_users import status_at
from releases_support import ROOT, Played, on_host, play, sql, start, variables

# As the snapshot has them: one gateway of the host's own.
GATEWAY = {"mission_control_gateways": [{"name": "sandbox"}]}
GATEWAY_ROOT = "/home/openclaw/openclaw-gateway"


@dataclass(frozen=True)
class Secrets:
    """What the release that serves uses."""

    token: str
    database: str
    redis: str

    @property
    def all(self) -> tuple[str, str, str]:
        return self.token, self.database, self.redis


def in_use() -> Secrets:
    lines = on_host(f"cat {ROOT}/current/backend/.env").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    values = {name: value.strip("'\"") for name, value in values.items()}
    return Secrets(
        values["LOCAL_AUTH_TOKEN"],
        unquote(urlsplit(values["DATABASE_URL"]).password or ""),
        unquote(urlsplit(values["RQ_REDIS_URL"]).password or ""),
    )


@dataclass
class Installation:
    """The inventory's token, and playbooks run with it."""

    token: str = field(default_factory=lambda: in_use().token)

    @staticmethod
    def new_token() -> str:
        return secrets.token_hex(32)

    def _arguments(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        return ("-e", json.dumps({"mission_control_token": self.token, **GATEWAY}), *arguments)

    def play(self, name: str, *arguments: str, source: Path | None = None) -> Played:
        return play(name, *self._arguments(arguments), source=source)

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        return start(name, *self._arguments(arguments))


def status(token: str) -> int:
    """What the API answers to this token."""
    return status_at(variables()["ansible_host"], token)


def database_lets_in(password: str) -> bool:
    question = "psql -h 127.0.0.1 -U mission_control -Atc 'select 1' mission_control"
    program = f"read -r PGPASSWORD; export PGPASSWORD; {question}"
    return on_host(f"sh -c {shlex.quote(program)} 2>/dev/null || true", password + "\n") == "1"


def database_session(password: str) -> subprocess.Popen[str]:
    """A session of the application's role, which is logged in and takes statements."""
    told = variables()
    psql = "psql -qAt -h 127.0.0.1 -U mission_control mission_control"
    login = f"read -r PGPASSWORD; export PGPASSWORD; exec {psql}"
    argv = ["ssh", *shlex.split(told["ansible_ssh_common_args"]), "-i", told["ansible_ssh_private_key_file"]]
    session = subprocess.Popen(
        [*argv, f"{told['ansible_user']}@{told['ansible_host']}", login],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert session.stdin and session.stdout
    session.stdin.write(f"{password}\nSELECT session_user;\n")
    session.stdin.flush()
    assert session.stdout.readline().strip() == "mission_control"
    return session


def redis_lets_in(password: str) -> bool:
    return on_host("redis-cli", f"AUTH default {password}\n").splitlines()[0] == "OK"


def gateway_token() -> str:
    text = on_host(f"cat {GATEWAY_ROOT}/gateway.env")
    return text.rpartition("OPENCLAW_GATEWAY_TOKEN=")[2].strip("'\"\n")


def registered_token() -> str:
    """With which the backend connects to its gateway."""
    return sql("select token from gateways where name = 'sandbox'")


def device() -> str:
    """The backend's identity at its gateway."""
    return str(json.loads(on_host(f"cat {ROOT}/shared/identity/device.json"))["deviceId"])


def paired() -> set[str]:
    """The devices that the gateway lets in."""
    return set(json.loads(on_host("cat /home/openclaw/.openclaw/devices/paired.json")))


def let_in(old: Secrets) -> dict[str, bool]:
    """Where these secrets are good for something."""
    return {
        "token": status(old.token) == 200,
        "database": database_lets_in(old.database),
        "redis": redis_lets_in(old.redis),
    }

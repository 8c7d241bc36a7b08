"""Whoever stands at the database's port and asks for the password in clear is told none."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

PASSWORD = "pass-Word-0815"


@dataclass
class Squatter:
    """Asks for the password in clear, and keeps what comes."""

    port: int = 0
    asked: int = 0
    heard: bytes = b""
    _server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._server.accept()
                with connection, contextlib.suppress(OSError, struct.error):
                    connection.settimeout(10)
                    text = self._packet(connection)
                    if text[:4] == struct.pack("!I", 80877103):
                        connection.sendall(b"N")
                        text = self._packet(connection)
                    self.asked += 1
                    connection.sendall(b"R" + struct.pack("!II", 8, 3))
                    self.heard += connection.recv(1000)

    @staticmethod
    def _packet(connection: socket.socket) -> bytes:
        length = struct.unpack("!I", connection.recv(4))[0]
        return connection.recv(length - 4)


@pytest.fixture
def squatter() -> Iterator[Squatter]:
    found = Squatter()
    found.port = found._server.getsockname()[1]
    thread = threading.Thread(target=found.serve, daemon=True)
    thread.start()
    yield found
    found._server.shutdown(socket.SHUT_RDWR)
    found._server.close()
    thread.join()


def play(tmp_path: Path, entry: str, variables: dict[str, Any]) -> str:
    role = {"name": "openclaw.mission_control.postgresql", "tasks_from": entry}
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.include_role": role}]}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(plays))
    given = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_become": False,
        **variables,
    }
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml"), "-e", json.dumps(given)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"},
    )
    assert done.returncode != 0
    return " ".join(done.stdout.split())


def test_an_external_server(tmp_path: Path, squatter: Squatter) -> None:
    url = f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:{squatter.port}/mc"
    needs = {"__postgresql_missing": []}
    said = play(tmp_path, "external", {"postgresql_url": url, **needs})
    assert squatter.asked and not squatter.heard, said
    assert "requested a cleartext password" in said and "require_auth=password" in said
    # The operator's word.
    said = play(tmp_path, "external", {"postgresql_url": f"{url}?require_auth=password", **needs})
    assert PASSWORD.encode() in squatter.heard
    squatter.heard = b""
    play(
        tmp_path,
        "external",
        {"postgresql_url": f"{url}?sslmode=require&require_auth=password", **needs},
    )
    assert not squatter.heard


def test_the_address_of_an_installation_that_is_taken_over(tmp_path: Path, squatter: Squatter) -> None:
    said = play(
        tmp_path,
        "adopt",
        {
            "postgresql_port": squatter.port,
            "postgresql_adopted_url": f"postgresql://maker:{PASSWORD}@127.0.0.1:{squatter.port}/mc",
            "__postgresql_found": {"owner": "maker"},
        },
    )
    assert squatter.asked and not squatter.heard, squatter.heard
    assert "cannot log in to it as maker" in said

"""Other places for backups: SFTP and REST servers on a second host, one of S3's on the controller."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from releases_support import CHECKOUT, Played, on_host, play, until, variables

SOURCE = CHECKOUT / ".cache/reference_application"
MOTO = CHECKOUT / ".cache/moto"
STORE = "backup-store"
REST_USER, REST_PASSWORD = "keeper", "rest-p4ss@word/0123456789"
REST_UNIT = """\
[Service]
EnvironmentFile=/etc/rest-server
ExecStart=rclone serve restic --addr {address}:8000 /srv/rest
"""
SECRET_KEY = "S3-secret+key/0123456789abcdef"


def store_variables() -> dict[str, Any]:
    return variables(STORE)


def on_store(command: str, stdin: str = "") -> str:
    return on_host(command, stdin, STORE)


def sftp_place(directory: Path) -> dict[str, Any]:
    """An account that may do SFTP and nothing else, and the settings that lead to it."""
    key = directory / "key"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    rule = "Match User keeper\n  ForceCommand internal-sftp\n"
    on_store(
        "id keeper 2>/dev/null || useradd --create-home --shell /usr/sbin/nologin keeper; "
        "install -d -o keeper -g keeper -m 700 /home/keeper/.ssh /srv/backups; "
        "cat > /home/keeper/.ssh/authorized_keys; chown keeper: /home/keeper/.ssh/authorized_keys; "
        f"printf {shlex.quote(rule)} > /etc/ssh/sshd_config.d/keeper.conf; systemctl reload ssh",
        key.with_suffix(".pub").read_text(),
    )
    address = store_variables()["ansible_host"]
    known = on_store("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")
    return {
        "mission_control_backup_repository": f"sftp:keeper@{address}:/srv/backups/mission-control",
        "mission_control_backup_ssh_key": key.read_text(),
        "mission_control_backup_known_hosts": f"{address} {known}",
    }


def rest_place(password: str = REST_PASSWORD) -> dict[str, Any]:
    """A server of restic's REST protocol on the second host, and the address with a login to it."""
    address = store_variables()["ansible_host"]
    on_store(
        "export DEBIAN_FRONTEND=noninteractive; command -v rclone >/dev/null || "
        "{ apt-get -q update && apt-get -qy install --no-install-recommends rclone; } >/dev/null; "
        f"printf 'RCLONE_USER={REST_USER}\\nRCLONE_PASS={REST_PASSWORD}\\n' > /etc/rest-server; "
        "mkdir -p /srv/rest; cat > /etc/systemd/system/rest-server.service; systemctl daemon-reload; "
        "systemctl start rest-server",
        REST_UNIT.format(address=address),
    )
    until(lambda: answers(address, 8000), 60)
    login = f"{REST_USER}:{quote(password, safe='')}"
    return {"mission_control_backup_repository": f"rest:http://{login}@{address}:8000/mission-control/"}


@contextlib.contextmanager
def s3_place() -> Iterator[dict[str, Any]]:
    """moto on the controller, where the hosts reach it, and the settings that lead to it."""
    if not (MOTO / "bin/moto_server").exists():
        subprocess.run([sys.executable, "-m", "venv", str(MOTO)], check=True)
        subprocess.run(
            [MOTO / "bin/pip", "install", "--quiet", "-r", CHECKOUT / "molecule/backup/moto.txt"], check=True
        )
    address = controller_address()
    with socket.socket() as free:
        free.bind((address, 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [MOTO / "bin/moto_server", "-H", address, "-p", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not answers(address, port):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.2)
        # restic waits long for a bucket that is not there.
        bucket = urllib.request.Request(f"http://{address}:{port}/backups", method="PUT")
        urllib.request.urlopen(bucket, timeout=30).close()  # noqa: S310
        yield {
            "mission_control_backup_repository": f"s3:http://{address}:{port}/backups",
            "mission_control_backup_credentials": {
                "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            },
        }
    finally:
        process.terminate()
        process.wait(30)


def answers(address: str, port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((address, port)) == 0


def controller_address() -> str:
    """The controller's address as the hosts see it."""
    told = subprocess.run(
        ["ip", "-json", "route", "get", variables()["ansible_host"]],
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(told.stdout)[0]["prefsrc"])


def tried_deploy(settings: Mapping[str, Any], *arguments: str) -> Played:
    """A deployment that may fail."""
    return play("deploy.yml", "-e", json.dumps(settings), *arguments, source=SOURCE)

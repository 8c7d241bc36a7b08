"""How the tests reach the host, change its proxy's configuration, and ask what is wrong with the door."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / ".cache/collections"))

from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.standalone import (  # noqa: E402
    run,
)

INVENTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"
HOST = "front-door"
USER = "mission-control"
CONFIGURATION = "/etc/mission-control/proxy/haproxy.cfg"
CERTIFICATE = "/etc/mission-control/tls/proxy"
AUTHORITY = "/etc/mission-control/authority.crt"
UNIT = "mission-control-proxy"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
STREAM = "/api/v1/agents/stream?since=2000-01-01T00:00:00"


@functools.cache
def variables() -> dict[str, Any]:
    """What the inventory says of the host."""
    listed = subprocess.run(
        ["ansible-inventory", "-i", str(INVENTORY), "--host", HOST],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(listed.stdout)
    return found


def address() -> str:
    return str(variables()["ansible_host"])


def url() -> str:
    return f"https://{address()}"


@functools.cache
def token() -> str:
    return (CHECKOUT / ".cache/secrets/token").read_text().strip()


def ssh(command: str, stdin: str = "", *, check: bool = True) -> str:
    """The output of a command run as root on the host."""
    told = variables()
    argv = ["ssh", *shlex.split(told["ansible_ssh_common_args"]), "-i", told["ansible_ssh_private_key_file"]]
    done = subprocess.run(
        [*argv, f"{told['ansible_user']}@{told['ansible_host']}", command],
        capture_output=True,
        text=True,
        check=False,
        input=stdin,
    )
    assert done.returncode == 0 or not check, f"{command}: {done.stderr}{done.stdout}"
    return done.stdout.strip()


def play(name: str, *arguments: str) -> tuple[int, str]:
    """Run a playbook of the collection."""
    done = subprocess.run(
        ["ansible-playbook", "-i", str(INVENTORY), f"playbooks/{name}.yml", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"},
    )
    return done.returncode, ANSI.sub("", done.stdout + done.stderr)


def deploy(**settings: object) -> None:
    """Deploy, with these settings beside the inventory's."""
    code, output = play("deploy", "-e", json.dumps(settings))
    assert code == 0, output[-6000:]


@functools.cache
def authority() -> str:
    """A file with the certificate of the deployment's own authority."""
    path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "authority.crt"
    path.write_text(ssh(f"cat {AUTHORITY}"))
    return str(path)


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority())


def findings(**options: Any) -> dict[str, str]:
    """What the check finds wrong with the door as seen from here: kinds by parts."""
    report = run(
        {
            "options": {
                "url": url(),
                "public_url": url(),
                "token": token(),
                "ca_path": authority(),
                "timeout": 15,
            },
            "check_options": {"front_door": {"direct": direct(), **options}},
        },
        ["front_door"],
        where="here",
    )
    verdict = next(found for found in report["verdicts"] if found["name"] == "front_door")
    return {part["name"]: part["kind"] for part in verdict["checks"] if part["state"] not in ("pass", "skip")}


def direct() -> list[str]:
    return [f"http://{address()}:{port}" for port in (8000, 3000)]


def until(true: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def reload() -> None:
    """Have the door read its configuration, and wait until it has."""
    before = ssh(f"systemctl show -P MainPID {UNIT}; pgrep -P $(systemctl show -P MainPID {UNIT})").split()
    ssh(f"systemctl reload {UNIT}")
    until(lambda: set(ssh(f"pgrep -P {before[0]}").split()) - set(before))
    # The new process has bound its ports when the master says so.
    until(lambda: "Loading success" in ssh(f"journalctl -u {UNIT} -n 20 -o cat"), 10)


@contextmanager
def configured(*changes: str) -> Iterator[None]:
    """The configuration changed by sed, until the block ends."""
    script = " ".join(f"-e {shlex.quote(change)}" for change in changes)
    before = ssh(f"sha256sum < {CONFIGURATION}")
    ssh(f"cp -p {CONFIGURATION} /root/haproxy.cfg && sed -i -E {script} {CONFIGURATION}")
    assert ssh(f"sha256sum < {CONFIGURATION}") != before, "the change changes nothing"
    try:
        reload()
        yield
    finally:
        ssh(f"cp -p /root/haproxy.cfg {CONFIGURATION}")
        reload()


@contextmanager
def shown(make: str) -> Iterator[None]:
    """Another certificate, made in the current directory as proxy.crt and proxy.key, until the block ends."""
    ssh(f"rm -rf /root/tls && mkdir /root/tls && cp -p {CERTIFICATE}.crt {CERTIFICATE}.key /root/tls")
    try:
        ssh(f"set -e; cd $(mktemp -d); {make}; for of in key crt; do cat proxy.$of > {CERTIFICATE}.$of; done")
        reload()
        yield
    finally:
        ssh(f"cp -p /root/tls/proxy.* {Path(CERTIFICATE).parent}/")
        reload()

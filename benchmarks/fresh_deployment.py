#!/usr/bin/env python3
"""Measure a first deployment against a plain shell script that runs the commands which nothing can avoid.

Both begin with the same bare sandbox host, with the caches of downloads that all hosts of this machine share,
and end with an application that answers. Needs what `make sandbox` sets up.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from sandbox_host import HELPERS, PROGRAMS, ROOT, SANDBOX, Host, run, sandbox_hosts

APPLICATION = ROOT / ".cache" / "reference_application"
# How many times the script's time the deployment may take.
TARGET = 1.3


def inventory(host: Host, directory: Path) -> Path:
    """The sandbox's, with this host alone in it, and no gateway: the script has none either."""
    groups = ["--group", f"mission_control={host.name}"]
    (directory / "hosts.yml").write_text(run([*SANDBOX, "inventory", host.name, *groups]), encoding="utf-8")
    (directory / "group_vars").symlink_to(ROOT / "molecule" / "shared" / "group_vars")
    nothing: dict[str, list[str]] = {"mission_control_gateways": [], "mission_control_boards": []}
    (directory / "host_vars").mkdir()
    (directory / "host_vars" / f"{host.name}.yml").write_text(json.dumps(nothing), encoding="utf-8")
    return directory


def default(role: str, name: str) -> str:
    """A role's default."""
    path = ROOT / "roles" / role / "defaults" / "main.yml"
    return str(yaml.safe_load(path.read_text(encoding="utf-8"))[name])


def script(host: Host, hosts: Path) -> float:
    """Run the shell script; the upload of the source belongs to it."""
    argv = [str(PROGRAMS / "ansible-inventory"), "-i", str(hosts), "--host", host.name]
    told = json.loads(run(argv, env=os.environ | {"MISSION_CONTROL_CHECKOUT": str(ROOT)}))
    environment = told["mission_control_download_environment"] | {
        "ADDRESS": told["ansible_host"],
        "TOKEN": secrets.token_hex(32),
        "UV_VERSION": default("backend", "backend_uv_version"),
        "NODE_VERSION": default("frontend", "frontend_node_version"),
    }
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    text = exports + (HELPERS / "install.sh").read_text(encoding="utf-8")
    started = time.monotonic()
    with subprocess.Popen(["tar", "-cz", "-C", str(APPLICATION), "."], stdout=subprocess.PIPE) as packed:
        unpack = "mkdir /root/source && tar -xz --no-same-owner -C /root/source"
        subprocess.run([*SANDBOX, "ssh", host.name, unpack], stdin=packed.stdout, check=True)
    host.shell(text)
    return time.monotonic() - started


def deployment(host: Host, hosts: Path) -> float:
    """Run deploy.yml."""
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "MISSION_CONTROL_CHECKOUT": str(ROOT),
    }
    argv = [str(PROGRAMS / "ansible-playbook"), "-i", str(hosts), str(ROOT / "playbooks" / "deploy.yml")]
    started = time.monotonic()
    run(argv, env=environment, cwd=ROOT)
    return time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="at least 1 (default: 3)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    seconds: dict[str, list[float]] = {"shell script": [], "deploy.yml": []}
    with (
        sandbox_hosts("fresh", snapshot=None) as (host,),
        tempfile.TemporaryDirectory(prefix="benchmark") as directory,
    ):
        hosts = inventory(host, Path(directory))
        for number in range(options.rounds + 1):
            told = []
            for name, measure in (("shell script", script), ("deploy.yml", deployment)):
                run([*SANDBOX, "reset", host.name])
                took = measure(host, hosts)
                told.append(f"{name} {took:.1f} s")
                # The first round fills the caches and does not count.
                if number:
                    seconds[name].append(took)
            load = os.getloadavg()[0]
            print(f"round {number} of {options.rounds}, load {load:.1f}: {', '.join(told)}", file=sys.stderr)
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    for name, found in seconds.items():
        print(f"{name:14} median {medians[name]:6.1f} s, from {min(found):.1f} to {max(found):.1f} s")
    ratio = medians["deploy.yml"] / medians["shell script"]
    print(f"ratio {ratio:.2f}, at most {TARGET:g}: {'met' if ratio <= TARGET else 'MISSED'}")
    return ratio > TARGET


if __name__ == "__main__":
    sys.exit(main())

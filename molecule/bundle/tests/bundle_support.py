"""How the tests make bundles, deploy from them and look at the hosts."""

from __future__ import annotations

import functools
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

CHECKOUT = Path(__file__).resolve().parents[3]
EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
INVENTORY = EPHEMERAL / "inventory"
HOST, BUILDER = "bundle", "bundle-builder"
USER = "mission-control"
ROOT = f"/home/{USER}/mission-control"
ON_HOST = "/var/lib/mission-control-bundle"
WORK = "~builder/.cache/mission-control-bundle"
PLAIN = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_PIPELINING": "1"}
ANSI = re.compile(r"\x1b\[[0-9;]*m")

# Asks each kind of registry in the way that the host itself is set up for, and names those that answered.
REGISTRIES = """
cd /tmp
export PIP_CERT=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
apt-get -qq -o Acquire::Retries=0 -o APT::Update::Error-Mode=any update >&2 && echo debian
rm -rf asked && python3 -m venv asked || exit 1
asked/bin/pip --retries 0 --timeout 5 download --quiet --no-deps --dest asked idna >&2 && echo python
PATH=$(ls -d {root}/shared/runtimes/node-*/bin | head -n 1):$PATH
which npm >&2 || exit 1
export npm_config_fetch_retries=0 npm_config_prefer_online=true npm_config_cache=/tmp/asked
npm view is-number version >&2 && echo npm
exit 0
"""


@dataclass
class Played:
    """The end of a playbook's run."""

    returncode: int
    output: str

    @property
    def changed(self) -> int:
        match = re.search(rf"^{HOST}\s+: ok=\d+\s+changed=(\d+)", self.output, re.MULTILINE)
        assert match, self.output
        return int(match[1])

    @property
    def words(self) -> str:
        """Everything on one line, so that texts are found wherever they were broken."""
        return " ".join(self.output.split())


def play(name: str, settings: dict[str, Any], *arguments: str, good: bool = True) -> Played:
    playbook = str(CHECKOUT / "playbooks" / name)
    argv = ["ansible-playbook", "-i", str(INVENTORY), "-e", json.dumps(settings), playbook, *arguments]
    environment = {**os.environ, **PLAIN}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=CHECKOUT)
    played = Played(done.returncode, ANSI.sub("", done.stdout + done.stderr))
    assert (played.returncode == 0) is good, played.output
    return played


@functools.cache
def downloads() -> dict[str, str]:
    """The environment of downloads as the inventory has it."""
    argv = ["ansible", HOST, "-i", str(INVENTORY), "-m", "ansible.builtin.debug"]
    argv += ["-a", "var=mission_control_download_environment"]
    environment = {**os.environ, **PLAIN, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment, cwd=CHECKOUT)
    found: dict[str, str] = json.loads(done.stdout.partition("=>")[2])["mission_control_download_environment"]
    return found


def on_host(command: str, host: str = HOST) -> str:
    """The output of a command run as root."""
    sandbox = [sys.executable, str(CHECKOUT / "molecule/shared/sandbox.py"), "ssh", host, "--"]
    done = subprocess.run([*sandbox, command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def registries(host: str, root: str) -> list[str]:
    """The registries that answer this host."""
    return on_host(REGISTRIES.format(root=root), host).split()


def current() -> str:
    """The release that is current."""
    return on_host(f"readlink {ROOT}/current").rpartition("/")[2]


def contents(bundle: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a bundle, also inside its parts, and of a Debian package or a wheel as it is."""
    with tarfile.open(bundle) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None, member.name
            if ".tar" in member.name:
                yield from _inside(member.name, file)
            else:
                yield member.name, file.read()


def _inside(name: str, file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BufferedReader(file), mode="r|*") as part:  # type: ignore[arg-type]
        for member in part:
            content = part.extractfile(member) if member.isreg() else None
            if content is not None:
                yield f"{name}:{member.name}", content.read()

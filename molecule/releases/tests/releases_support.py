"""How the tests deploy, go back and look at the host."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
INVENTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"
# A scenario's only host has its name.
HOST = os.environ["MOLECULE_SCENARIO_NAME"]
USER = "mission-control"
ROOT = f"/home/{USER}/mission-control"
ANSI = re.compile(r"\x1b\[[0-9;]*m")

MIGRATION = '''"""{message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{parent}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("{table}", sa.Column("id", sa.Uuid(), primary_key=True))
    op.execute("SELECT pg_sleep({seconds})")


def downgrade() -> None:
    op.drop_table("{table}")
'''
# No gateway here; one that works may start slowly beside other scenarios; pruning must have something to do.
SETTINGS: dict[str, Any] = {
    "mission_control_gateways": [],
    "mission_control_boards": [],
    "release_gate_deadline": 90,
    "release_kept": 2,
}
# For a release that is to fail: it must not take long to show it.
SOON = ("-e", "release_gate_deadline=15")
HEAD = "c3f81d9a47e6"
NEWER = "d4a0b1c2d3e4"
NEWER_TITLE = "Mission Control, newer"


class Applications:
    """Copies of the reference application; each is made when it is asked for first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, name: str) -> Path:
        path = self._directory / name
        if not path.exists():
            shutil.copytree(CHECKOUT / ".cache/reference_application", path, symlinks=True)
            getattr(self, f"_{name}", lambda _path: None)(path)
        return path

    def _upgraded(self, path: Path) -> None:
        """One more line in the backend, nothing else."""
        self._append(path, "UPGRADED = True\n")

    def _migrated(self, path: Path) -> None:
        """One more migration, which succeeds."""
        self._migration(path, NEWER, HEAD, "labels", "Add labels")

    def _repackaged(self, path: Path) -> None:
        """Another lock file of the backend, with the same packages, and all of `interrupted`, for longer."""
        self._interrupted(path, seconds=3)
        with (path / "backend/uv.lock").open("a") as file:
            file.write("# The same packages.\n")

    def _interrupted(self, path: Path, seconds: float = 1) -> None:
        """A frontend to build, and a migration that takes its time."""
        self._append(path, "INTERRUPTED = True\n")
        page = path / "frontend/src/app/page.tsx"
        page.write_text(page.read_text().replace("<h1>Mission Control</h1>", f"<h1>{NEWER_TITLE}</h1>"))
        self._migration(path, NEWER, HEAD, "labels", "Add labels", seconds=seconds)

    def _broken_migration(self, path: Path) -> None:
        """One more migration, which fails halfway: its second table is there already."""
        self._migrated(path)
        self._migration(path, "e5b1c2d3e4f5", NEWER, "boards", "Add boards again")

    def _unhealthy(self, path: Path) -> None:
        """Starts, and then answers its health path with 500."""
        main = path / "backend/app/main.py"
        text = main.read_text()
        assert "    return Ok()" in text
        main.write_text(text.replace("    return Ok()", '    raise RuntimeError("made to be unhealthy")'))

    def _crashing(self, path: Path) -> None:
        """Ends while it starts."""
        self._append(path, 'raise SystemExit("made to crash")\n')

    @staticmethod
    def _append(path: Path, text: str) -> None:
        with (path / "backend/app/main.py").open("a") as file:
            file.write(text)

    @staticmethod
    def _migration(
        path: Path, revision: str, parent: str, table: str, message: str, seconds: float = 0
    ) -> None:
        text = MIGRATION.format(
            revision=revision, parent=parent, table=table, message=message, seconds=seconds
        )
        (path / f"backend/migrations/versions/{revision}_{table}.py").write_text(text)


@dataclass
class Played:
    """The end of a playbook's run."""

    returncode: int
    output: str

    @property
    def counts(self) -> dict[str, int]:
        match = re.search(rf"^{HOST}\s+: (ok=.*)$", self.output, re.MULTILINE)
        assert match, self.output
        return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", match[1])}

    @property
    def words(self) -> str:
        """Everything on one line, so that texts are found wherever they were broken."""
        return " ".join(self.output.split())


def start(
    name: str, *arguments: str, source: Path | None = None, settings: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A playbook's run in the background; settings are Ansible's own, as environment variables."""
    playbook = str(CHECKOUT / "playbooks" / name)
    argv = ["ansible-playbook", "-i", str(INVENTORY), "-e", json.dumps(SETTINGS), playbook, *arguments]
    environment = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_PIPELINING": "1",
        **(settings or {}),
    }
    if source is not None:
        environment["MISSION_CONTROL_SOURCE"] = str(source)
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=CHECKOUT
    )


def play(name: str, *arguments: str, source: Path | None = None) -> Played:
    with start(name, *arguments, source=source) as process:
        output = process.communicate()[0]
    return Played(process.returncode, ANSI.sub("", output))


def history() -> list[dict[str, Any]]:
    """The records of deployments, oldest first."""
    return [json.loads(line) for line in on_host(f"cat {ROOT}/shared/history.jsonl").splitlines()]


def until(true: Callable[[], Any], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.5)


@functools.cache
def variables(host: str = HOST) -> dict[str, Any]:
    """What the inventory says of a host."""
    listed = subprocess.run(
        ["ansible-inventory", "-i", str(INVENTORY), "--host", host],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(listed.stdout)
    return found


def ssh_command(host: str = HOST) -> list[str]:
    """How to reach a host as root, over a connection of its own."""
    told = variables(host)
    return [
        "ssh",
        *shlex.split(told["ansible_ssh_common_args"]),
        "-i",
        told["ansible_ssh_private_key_file"],
        f"{told['ansible_user']}@{told['ansible_host']}",
    ]


def on_host(command: str, stdin: str = "", host: str = HOST) -> str:
    """The output of a command run as root."""
    argv = [*ssh_command(host), command]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, input=stdin)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def assert_healthy(seconds: float = 120, host: str = HOST) -> None:
    """The host says so, once whatever was restarted has settled on a machine that others use, too."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            on_host("mission-control verify", host=host)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def current() -> str:
    """The release that is current."""
    return on_host(f"readlink {ROOT}/current").rpartition("/")[2]


def releases() -> dict[str, dict[str, Any]]:
    """release.json of every release."""
    text = on_host(f"for file in {ROOT}/releases/*/release.json; do cat $file; echo; echo =====; done")
    told = [json.loads(part) for part in text.split("=====") if part.strip()]
    return {release["id"]: release for release in told}


def outcome(release: str) -> str:
    return str((releases()[release].get("outcome") or {}).get("state", ""))


def started(part: str) -> str:
    """The process of a service, and when it was started."""
    return on_host(
        f"systemctl --user -M {USER}@ show -P MainPID -P ExecMainStartTimestamp mission-control-{part}"
    )


def runs_from(part: str) -> str:
    pid = on_host(f"systemctl --user -M {USER}@ show -P MainPID mission-control-{part}")
    return on_host(f"readlink /proc/{pid}/cwd").removeprefix(f"{ROOT}/releases/").split("/")[0]


def schema() -> str:
    return sql("select version_num from alembic_version")


def sql(query: str) -> str:
    return on_host(f"cd /; runuser -u postgres -- psql -Atc {shlex.quote(query)} mission_control")


@dataclass(frozen=True)
class Data:
    """What an operator must not lose."""

    boards: int
    tasks: int
    identity: str


def data(*, write: bool = False) -> Data:
    if write:
        program = f"cd {ROOT}/backend && runuser -u {USER} -- .venv/bin/python -m app.seed"
        on_host(program)
    return Data(
        int(sql("select count(*) from boards")),
        int(sql("select count(*) from tasks")),
        on_host(f"sha256sum < {ROOT}/shared/identity/device.json"),
    )


def healthy() -> bool:
    """Whether the backend answers a user."""
    try:
        with urllib.request.urlopen(
            f"http://{variables()['ansible_host']}:8000/health", timeout=10
        ) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False

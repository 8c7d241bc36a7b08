"""Commands in remedies, typed into a shell as root does: what others have named does not become one."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import extensions, login
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import (
    database_locks,
    database_writes,
    gateway_probe,
    redis_writes,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import (
    backup,
    configuration,
    database,
    host,
    queue,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.redis import RedisError
from postgresql_server import application_server

PROGRAMS = ("runuser", "redis-cli", "chmod", "mission-control", "nc", "restic", "findmnt")
# Whatever the way out is: of no quotes, of single ones, of double ones, or none.
WILD = [f"a{quote};touch owned;{quote}$(touch owned)`touch owned` b" for quote in ("", "'", '"')]
FULL = {"disk_warning": "10:", "disk_critical": "5:"}


class Shell:
    """A directory with programs that write down what they were called with."""

    def __init__(self, place: Path) -> None:
        self._place = place
        (place / "bin").mkdir()
        for name in PROGRAMS:
            program = place / "bin" / name
            told = "import json, sys; open('calls', 'a').write(json.dumps(sys.argv[1:]) + '\\n')"
            program.write_text(f"#!{sys.executable}\n{told}\n")
            program.chmod(0o755)

    def typed(self, command: str) -> list[str]:
        """What the last of the programs was called with."""
        path = {"PATH": f"{self._place / 'bin'}:/usr/bin:/bin"}
        argv = ["/bin/sh", "-c", command]
        done = subprocess.run(argv, cwd=self._place, env=path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not (self._place / "owned").exists(), command
        calls = (self._place / "calls").read_text().splitlines()
        last: list[str] = json.loads(calls[-1])
        return last


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("name", WILD)
def test_addresses_of_redis(shell: Shell, name: str) -> None:
    assert shell.typed(redis_writes.cli_of(f"unix:///run/{name}")) == ["-s", f"/run/{name}"]
    host_name = name.replace(" ", "").lower()
    url = f"rediss://{host_name}/0?ssl_ca_certs=/etc/{name.replace(';', '%3B')}"
    assert shell.typed(redis_writes.cli_of(url)) == ["-h", host_name, "--tls", "--cacert", f"/etc/{name}"]
    assert (
        redis_writes.cli_of("rediss://h/0?ssl_ca_certs=/e/ca.pem")
        == "redis-cli -h h --tls --cacert /e/ca.pem"
    )


@pytest.mark.parametrize("name", WILD)
def test_the_name_of_a_queue(shell: Shell, name: str) -> None:
    problem = queue.connection_problem(RedisError("type", "x"), "redis://localhost/0", name)
    command = problem.remedy.partition("aside: ")[2].partition("; then, as")[0]
    assert shell.typed(command) == ["rename", name, f"{name}-aside"]
    plain = queue.connection_problem(RedisError("type", "x"), "redis://localhost/0", "default:scheduled")
    assert "redis-cli rename default:scheduled default:scheduled-aside; then" in plain.remedy


@pytest.mark.parametrize("name", [*WILD, 'x" TO public; DROP DATABASE d; --'])
@pytest.mark.parametrize("source", ["database", "user", "database user"])
def test_names_of_a_database_and_its_role(shell: Shell, name: str, source: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    for verdict in (
        database_writes.judge_state(False, True, source, name, name, ""),
        database_writes.judge_state(False, False, "", name, name, "boards"),
    ):
        assert verdict is not None
        command = verdict.remedy.partition("; then: mission-control")[0]
        given = shell.typed(command.removeprefix("Take it back where it is set: "))
        assert given[:4] == ["-u", "postgres", "--", "psql"] and quoted in given[-1]
        assert '"' not in given[-1].replace(quoted, "")
    assert given[4:6] == ["-d", name]
    hidden = database_writes.judge_state(False, False, "", name, "mc", "", name)
    assert hidden is not None
    given = shell.typed(hidden.remedy)
    assert given[4:6] == ["-d", name] and quoted in given[-1]
    # The line of pg_hba.conf is one word for sed.
    words = shlex.split(login.entry_line("", name, name))
    assert words[2] == f"1i host {quoted} {quoted} 127.0.0.1/32 scram-sha-256"
    lacking = database_writes.judge_state(False, False, "", "mission_control", "mc", "boards")
    assert lacking is not None and lacking.remedy.startswith(
        "runuser -u postgres -- psql -d mission_control -c "
        "'GRANT ALL ON ALL TABLES IN SCHEMA public TO \"mc\"'; then"
    )


def test_a_database_whose_name_reads_as_an_address(shell: Shell) -> None:
    """To the letter, on a server: psql goes nowhere else."""
    name = "host=192.0.2.1 sslkey='x\\"
    with application_server("typed", "") as server:
        server.sql(f'CREATE DATABASE "{name}"')
        verdict = database_writes.judge_state(False, False, "", name, "mc", "boards")
        assert verdict is not None
        option = shell.typed(verdict.remedy.partition("; then")[0])[5]
        assert server.sql("SELECT current_database()", option) == name


@pytest.mark.parametrize("name", WILD)
def test_other_words_of_others(shell: Shell, name: str) -> None:
    rows = database.judge_migrations(["d", name], {"d"}, {"d"}).remedy.partition("rows: ")[2]
    literal = "'" + name.replace("'", "''") + "'"
    assert shell.typed(rows) == [
        *("db", "--write", "-c"),
        f"DELETE FROM alembic_version WHERE version_num IN ({literal})",
    ]
    mode = configuration.judge_mode(f"/home/{name}/.env", 0o644).remedy.partition(", and if")[0]
    assert shell.typed(mode) == ["600", f"/home/{name}/.env"]
    clock = backup.judge_clock({"name": name, "moment": 9e9}, 0.0)[0].remedy
    assert shell.typed(clock.partition("should go: ")[2].partition(", and back")[0])[-1] == f"point:{name}"
    disk = host.judge_disk("/", 1, 1, (1, 1), FULL, read_only=Path(f"/{name}")).remedy
    assert shell.typed(disk.partition("dmesg; ")[2].partition("). After")[0]) == ["-T", f"/{name}"]
    where = name.replace(" ", "").lower()
    look = gateway_probe.Look(gateway_probe.DROPPED, 3.5)
    dropped = gateway_probe.problem_of(f"ws://{where}:18789", look, None)
    assert dropped is not None
    assert shell.typed(dropped.remedy.partition("host: ")[2])[-3:] == ["--", where, "18789"]
    with pytest.raises(DeploymentError) as caught:
        extensions.refuse_missing({name: "a"}, {name: extensions.Extension(False, False)}, name)
    command = str(caught.value.remedy).partition("once: ")[2]
    assert shell.typed(command)[-3:] == [name, "-c", 'CREATE EXTENSION "' + name.replace('"', '""') + '"']


@pytest.mark.parametrize("place", ["/home/mc/current/backend", "/home/m c/it's/current/backend"])
def test_the_applications_program_gets_a_terminal_of_its_own(shell: Shell, place: str) -> None:
    remedy = database._no_version(Path(place), "mc").remedy
    command = remedy.partition("say so: ")[2].partition(". Where it is not")[0]
    *before, script = shell.typed(command)
    assert before == ["--pty", "-u", "mc", "--", "sh", "-c"]
    assert script.endswith(" && .venv/bin/alembic stamp head") and script.startswith("cd ")
    assert "'cd /home/mc/current/backend && .venv/bin/alembic stamp head'" in remedy or " " in place


def test_a_session_is_named_by_a_number() -> None:
    """By whatever answers as a server."""
    rows = [("1); DROP DATABASE d; --", "r", "p", 1, "boards", 1.0)]
    cursor = SimpleNamespace(execute=lambda *_words: None, fetchall=lambda: rows)
    with pytest.raises(ValueError, match="invalid literal"):
        database_locks.holders(cursor, lambda _seconds: None)

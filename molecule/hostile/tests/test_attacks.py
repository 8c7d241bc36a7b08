"""The attacks that once made somebody root or the superuser, each as it was proved."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_support import HOME, ROOT, TO_PASS, USER, as_user, on_host, play, sql, tried

SCENARIO = Path(__file__).resolve().parents[1]
SHARED = f"{ROOT}/shared"


@pytest.fixture
def victim() -> Iterator[str]:
    """A directory of root's."""
    on_host(
        "chmod 0711 /root; rm -rf /root/victim; umask 077; mkdir /root/victim; echo kept > /root/victim/file"
    )
    before = on_host("find /root/victim -printf '%p %u %m %T@ %C@\\n'")
    yield "/root/victim"
    after = on_host("find /root/victim -printf '%p %u %m %T@ %C@\\n'")
    on_host("chmod 0700 /root")
    assert after == before


# --- C1 ---


@pytest.mark.parametrize("playbook", ["deploy.yml", pytest.param("rollback.yml", marks=pytest.mark.full)])
def test_c1_a_link_does_not_give_what_is_behind_it_away(victim: str, playbook: str) -> None:
    as_user(f"mv {SHARED}/backups {SHARED}/aside && ln -s {victim} {SHARED}/backups")
    try:
        done = play(playbook)
    finally:
        as_user(f"rm {SHARED}/backups; mv {SHARED}/aside {SHARED}/backups")
    assert done.returncode == 2, done.output
    assert f"{SHARED}/backups" in done.output and len(done.failures) >= 1


@pytest.mark.full
def test_c1_nor_does_a_link_further_up(victim: str) -> None:
    as_user(f"mv {ROOT} {ROOT}.aside && ln -s {victim} {ROOT}")
    try:
        done = play("deploy.yml")
    finally:
        on_host(f"rm {ROOT}; mv {ROOT}.aside {ROOT}")
    assert done.returncode == 2, done.output


# --- C2 ---

STEAL = """
import fcntl, os, sys, termios
for number in range(3):
    for letter in "touch /root/PWNED\\n":
        try:
            fcntl.ioctl(number, termios.TIOCSTI, letter.encode())
        except OSError:
            break
"""


def test_c2_what_runs_as_the_user_does_not_type_into_roots_terminal() -> None:
    line = "mission-control db -Atc 'select 1' && mission-control status && mission-control releases"
    on_host(
        "cat > /root/terminal.py; rm -f /root/PWNED; sysctl -q dev.tty.legacy_tiocsti=1 || true",
        (SCENARIO / "files/terminal.py").read_text(),
    )
    as_user(f"cat > {HOME}/steal.py", STEAL)
    as_user(f"echo '\\! python3 {HOME}/steal.py' > {HOME}/.psqlrc")
    try:
        seen = on_host(f"python3 /root/terminal.py {shlex.quote(line)} 2")
    finally:
        as_user(f"rm -f {HOME}/.psqlrc {HOME}/steal.py")
    assert "LINE-ENDED-0" in seen, seen
    assert tried("test -e /root/PWNED").returncode == 1, seen


# --- H1 ---


@pytest.mark.full
def test_h1_maintenance_does_not_read_for_the_user(marker: str) -> None:
    program = f"{SHARED}/libexec/maintenance.py"
    drop_in = f"{HOME}/.config/systemd/user/mission-control-backend.service.d"
    on_host("cat > /root/secret.txt; chmod 0600 /root/secret.txt", marker)
    failing = f"[Service]\\nTimeoutStartSec=5\\nExecStartPre=/bin/sh -c 'rm -f {program}; exit 1'\\n"
    on = play("maintenance.yml", "-e", "state=on")
    as_user(f"cp {program} {HOME}/kept.py")
    try:
        as_user(
            f'mkdir -p {drop_in} && printf "{failing}" > {drop_in}/x.conf && systemctl --user daemon-reload'
        )
        as_user(f"rm -f {program}; ln -s /root/secret.txt {program}")
        off = play("maintenance.yml", "-e", "state=off")
        found = tried(f"grep -rl {marker} {HOME} /tmp /run/user 2>/dev/null").stdout
        assert found == ""
        assert marker not in on.output + off.output
        journal = on_host(f"journalctl -q --no-pager -b --grep={marker} | wc -l")
        assert journal == "0"
    finally:
        as_user(f"rm -f {drop_in}/x.conf {program}; mv {HOME}/kept.py {program}")
        # What has just failed is being started again, which the first run counts as a failure.
        on_host(f"systemctl --user -M {USER}@ daemon-reload")
        ends = [play("maintenance.yml", "-e", "state=off") for _ in range(2)]
    assert ends[-1].returncode == 0, ends[-1].output
    on_host("mission-control start --timeout 120")


# --- H2 ---


@pytest.mark.full
def test_h2_a_forged_record_hands_no_database_over(marker: str) -> None:
    sql(f"CREATE ROLE otherapp LOGIN PASSWORD '{marker}'")
    sql("CREATE DATABASE otherdb OWNER otherapp")
    sql("SET ROLE otherapp; CREATE TABLE secrets (x text)", "otherdb")
    found = {
        "tree": ROOT,
        "kind": "guide",
        "units": [],
        "processes": [],
        "backend": {"DATABASE_URL": "postgresql://a:b@127.0.0.1:5432/otherdb"},
    }
    at = "2026-01-01T00:00:00Z"
    record = {"phase": "done", "at": at, "kept": f"{ROOT}/before-2026-01-01", "found": found}
    as_user(f"cat > {SHARED}/adopted.json", json.dumps(record))
    try:
        done = play("deploy.yml", settings=TO_PASS)
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'otherdb'"
        assert sql(owner) == "otherapp", done.output
        table = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'secrets'"
        assert sql(table, "otherdb") == "otherapp"
    finally:
        as_user(f"rm -f {SHARED}/adopted.json")
        sql("DROP DATABASE otherdb")
        sql("DROP ROLE otherapp")
    assert done.returncode == 0, done.output

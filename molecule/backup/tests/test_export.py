"""What a person takes elsewhere: restored by hand, with PostgreSQL alone, as its own text says."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from backup_support import TABLES, rows
from releases_support import ROOT, on_host, play, sql, ssh_command

testinfra_hosts = ["backup"]


def token() -> str:
    return on_host(f"grep -oP '(?<=LOCAL_AUTH_TOKEN=).*' {ROOT}/current/backend/.env")


def test_an_export_is_restored_by_its_own_text(tmp_path: Path) -> None:
    before = rows()
    done = play("backup.yml", "-e", f"export={tmp_path}/archive")
    assert done.returncode == 0, done.output
    place = tmp_path / "archive/backup"
    assert place.stat().st_mode & 0o777 == 0o700 and tried_sums(place)
    assert {path.name for path in place.iterdir()} == {
        "README.md",
        "SHA256SUMS",
        "database.sql.gz",
        "settings.env",
    }
    settings = (place / "settings.env").read_text()
    assert token() not in settings and "LOCAL_AUTH_TOKEN=" in settings and "DATABASE_URL=" in settings
    assert on_host("ls -d /var/tmp/mission-control-export-* 2>/dev/null || true") == ""
    readme = (place / "README.md").read_text()
    commands = [line.strip() for line in readme.splitlines() if line.startswith("    ")]
    # The same by the words of the text, under names of its own.
    words = "; ".join(command.replace("mission_control", "by_hand") for command in commands)
    words = words.replace(" --pwprompt", "").replace("database.sql.gz", "/var/tmp/by-hand.gz")  # noqa: S108 (on a sandbox host)
    with (place / "database.sql.gz").open("rb") as file:
        subprocess.run([*ssh_command(), "cat > /var/tmp/by-hand.gz"], stdin=file, check=True)
    try:
        on_host(f"cd /; chmod 644 /var/tmp/by-hand.gz; runuser -u postgres -- sh -ec {json.dumps(words)}")
        query = on_host(f"cd /; runuser -u postgres -- psql -Atc {quoted(TABLES)} by_hand")
        there = on_host(f"cd /; runuser -u postgres -- psql -Atc {quoted(query)} by_hand").splitlines()
        assert {line.split("|")[0]: line for line in there} == before
    finally:
        on_host(
            "cd /; rm /var/tmp/by-hand.gz; runuser -u postgres -- dropdb --if-exists by_hand; "
            "runuser -u postgres -- dropuser --if-exists by_hand"
        )
    again = play("backup.yml", "-e", f"export={tmp_path}/archive")
    assert again.returncode != 0 and "exists already" in again.words, again.output
    assert sql("select count(*) from pg_database where datname = 'by_hand'") == "0"


def test_with_secrets_it_has_all_of_it(tmp_path: Path) -> None:
    done = play("backup.yml", "-e", f"export={tmp_path}/all", "-e", "export_secrets=true")
    assert done.returncode == 0, done.output
    place = tmp_path / "all/backup"
    assert (
        token() in (place / "settings.env").read_text() and token() not in done.output and tried_sums(place)
    )
    listed = subprocess.run(
        ["tar", "-tzf", place / "gateway.tar.gz"], capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"^state/openclaw.json$", listed, re.MULTILINE)


def tried_sums(place: Path) -> bool:
    return (
        subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=place, check=False).returncode
        == 0
    )


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"

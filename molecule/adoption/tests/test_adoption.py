"""Two installations that were set up by hand are taken over, test by test. Nothing of them is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from adoption_support import (
    REDIS_CLI,
    SOON,
    Host,
    Played,
    ansible,
    data,
    play,
    play_all,
    sql,
    unhealthy,
    variables,
)

GUIDE_UNITS = [f"mission-control-{part}.service" for part in ("backend", "worker", "frontend")]


@pytest.fixture(autouse=True)
def nothing_is_lost(written: dict[str, dict[str, str]], request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test does, the rows and the entries of the queue stay; the last one drops the database."""
    for found in written.values():
        assert all(value and not value.startswith("0|") for value in found.values()), found
    yield
    if "uninstall" not in request.node.name:
        assert {name: data(name) for name in written} == written


def state(host: Host) -> dict[str, str]:
    """What check mode must not change: files, units and processes."""
    home = f"/home/{host.user}"
    # Where the guide's tree is, releases are prepared too; what a failed one leaves is no part of the tree.
    caches = "-name node_modules -o -name .next -o -name __pycache__ "
    caches += f" -o -path {host.root}/releases -o -path {host.root}/shared"
    files = f"find {home}/.config {host.tree} \\( {caches} \\) -prune -o -type f -print"
    return {
        "files": host.on(f"{files} | sort | xargs -d '\\n' sha256sum"),
        "root": host.on(f"ls -A {host.root} 2>/dev/null || true"),
        # Not by systemctl: asking for the manager of a user who does not linger starts it.
        "units": host.on(f"ls -AR {home}/.config"),
        "processes": host.on(f"pgrep -u {host.user} -f 'uvicorn|scripts/rq|next' | sort"),
    }


def serves(host: Host, token: str) -> bool:
    """Whether a user with the token gets in, and a browser its page."""
    return (
        host.status("/health") == 200
        and host.status("/api/v1/users/me", token) == 200
        and host.status("/", port=3000) == 200
    )


def hidden(played: Played, tokens: dict[str, str]) -> bool:
    secrets = [tokens[played.host.name]]
    if played.host.name == "installer":
        # That of the guide is a common word.
        secrets.append(str(variables("installer")["adoption_password"]))
    return not any(secret in played.output for secret in secrets)


def test_hand_made_services_serve(hosts: list[Host], tokens: dict[str, str]) -> None:
    for host in hosts:
        assert serves(host, tokens[host.name]), host.name
        assert host.status("/api/v1/users/me", "x" * 64) == 401


def test_check_mode_shows_everything_and_changes_nothing(hosts: list[Host], tokens: dict[str, str]) -> None:
    before = {host.name: state(host) for host in hosts}
    for done in play_all(hosts, "deploy.yml", "--check", "--diff"):
        assert done.returncode == 0, done.output
        assert hidden(done, tokens)
        assert f"takes over Mission Control in {done.host.tree}" in done.words
        rows = [line.split("  ") for line in done.output.splitlines()]
        told = {row[0]: row[-1].strip() for row in rows if len(row) > 2}
        assert told["LOG_LEVEL"] == told["LOCAL_AUTH_TOKEN"] == "carried over"
        assert told["REQUEST_LOG_INCLUDE_HEALT"].startswith("no setting of the product, which ignored it")
        assert told["SECURITY_HEADER_X_FRAME_OPTIONS"].startswith("blank turns the header off")
        assert told["DATABASE_URL"].startswith("the same database, entered by mission_control")
        if done.host.name == "guide":
            assert "mission-control-worker.service (running): stopped and put aside" in done.words
            assert f"moved to {done.host.root}/before-" in done.words
        else:
            assert told["LOG_FORMAT"] == "the inventory says so"
            assert "backend, of no unit (PID" in done.words
            assert f"{done.host.tree} stays where it is" in done.words
    assert {host.name: state(host) for host in hosts} == before


def test_refused_where_it_is_not_wanted(hosts: list[Host], tokens: dict[str, str]) -> None:
    for done in play_all(hosts, "deploy.yml", "-e", "mission_control_adopt=false"):
        assert done.returncode != 0
        assert f"there is an installation that was set up by hand in {done.host.tree}" in done.words
        assert serves(done.host, tokens[done.host.name])


def test_a_first_release_that_fails_leaves_the_old_services_serving(
    hosts: list[Host], tokens: dict[str, str], tmp_path: Path
) -> None:
    before = {host.name: state(host) for host in hosts}
    for done in play_all(hosts, "deploy.yml", *SOON, source=unhealthy(tmp_path)):
        host = done.host
        assert done.returncode != 0 and hidden(done, tokens)
        assert "did not pass: health:" in done.words
        assert "What was set up by hand serves again, from where it was." in done.words
        assert serves(host, tokens[host.name])
        after = state(host)
        assert after["files"] == before[host.name]["files"]
        assert "mission-control-backend.socket" not in after["units"]
        assert host.on(f"ls -d {host.root}/before-* {host.root}/current 2>/dev/null || true") == ""
    for unit in GUIDE_UNITS:
        assert hosts[0].systemctl(f"is-active {unit}") == "active"
        assert hosts[0].systemctl(f"is-enabled {unit}") == "enabled"


def test_taken_over(hosts: list[Host], tokens: dict[str, str]) -> None:
    guide = hosts[0]
    # A run that was killed right after it had stopped and moved everything: the next one finishes it.
    arguments = f"state=taken user={guide.user} root={guide.root}"
    done = ansible(
        guide, "ansible", guide.name, "-b", "-m", "openclaw.mission_control.adoption", "-a", arguments
    )
    assert done.returncode == 0, done.output
    assert guide.status("/health") == 0
    for done in play_all(hosts, "deploy.yml"):
        assert done.returncode == 0, done.output
        assert hidden(done, tokens)


def test_what_was_taken_over_serves_from_a_release(hosts: list[Host], tokens: dict[str, str]) -> None:
    for host in hosts:
        assert serves(host, tokens[host.name]), host.name
        settings = f"{host.root}/current/backend/.env"
        assert host.setting("LOCAL_AUTH_TOKEN", settings) == tokens[host.name]
        assert host.setting("LOG_LEVEL", settings) == "DEBUG"
        assert host.setting("REQUEST_LOG_SLOW_MS", settings) == "750"
        assert host.setting("SITE_LABEL", settings) == "Ward 7"
        assert host.setting("SECURITY_HEADER_X_FRAME_OPTIONS", settings) == "DENY"
        assert host.setting("REQUEST_LOG_INCLUDE_HEALT", settings) == ""
        assert "http://mission-control.example.com:3000" in host.setting("CORS_ORIGINS", settings)
        database = variables(host.name)["adoption_database"]
        url = host.setting("DATABASE_URL", settings)
        assert url.startswith("postgresql+psycopg://mission_control:")
        assert urlsplit(url).path == f"/{database}"
        identities = (
            f"/home/{host.user}/.openclaw/identity/device.json {host.root}/shared/identity/device.json"
        )
        assert len(set(host.on(f"sed -n 's/.*deviceId//p' {identities}").splitlines())) == 1
        assert host.on(f"stat -c %a {host.root}/shared/adopted.json") == "600"
    assert hosts[0].setting("LOG_FORMAT", f"{hosts[0].root}/current/backend/.env") == "text"
    assert hosts[1].setting("LOG_FORMAT", f"{hosts[1].root}/current/backend/.env") == "json"


def test_what_was_put_aside(hosts: list[Host]) -> None:
    guide, installer = hosts
    kept = guide.on(f"cd {guide.root}/before-*; pwd; ls -A; ls units").split()
    assert {".git", "backend", "frontend", "scripts", "units", *GUIDE_UNITS} <= set(kept)
    assert "mission-control-worker.service.d" in kept
    assert (
        guide.on(f"test -s {kept[0]}/backend/.env && test -x {kept[0]}/backend/.venv/bin/uvicorn; echo $?")
        == "0"
    )
    assert installer.on(f"test -s {installer.tree}/backend/.env; echo $?") == "0"
    units = installer.on(f"ls {installer.root}/before-*/units").split()
    assert len(units) == 3 and all(unit.startswith("openclaw-mission-control-") for unit in units)
    assert "openclaw" not in installer.on(f"ls -R /home/{installer.user}/.config/systemd/user")
    # Nothing of the old processes is left beside the new services.
    serving = "uvicorn|serve.py|run-worker|next"
    for host in hosts:
        command = f"for p in $(pgrep -u {host.user} -f '{serving}'); do readlink /proc/$p/cwd; done"
        places = host.on(command).splitlines()
        assert places and all(place.startswith(f"{host.root}/releases/") for place in places), places


def test_database_and_queue_are_those_of_before(hosts: list[Host]) -> None:
    for host in hosts:
        assert (
            sql(host.name, "select distinct tableowner from pg_tables where schemaname = 'public'")
            == "mission_control"
        )
        assert host.on(f"{REDIS_CLI} config get appendonly").split() == ["appendonly", "yes"]
    # Who owned the database reads it on.
    told = variables("installer")
    login = f"postgresql://{told['adoption_login']}:{told['adoption_password']}@localhost/{told['adoption_database']}"
    assert int(hosts[1].on(f"psql -Atc 'select count(*) from boards' {login}")) > 0


def test_a_second_deployment_changes_nothing(hosts: list[Host], tokens: dict[str, str]) -> None:
    for done in play_all(hosts, "deploy.yml"):
        assert done.returncode == 0 and done.changed == 0, done.output
        assert "takes over Mission Control" not in done.output
        assert serves(done.host, tokens[done.host.name])


def test_uninstall_with_everything_it_can_remove(hosts: list[Host]) -> None:
    guide, installer = hosts
    queue = data("guide")["scheduled"]
    done = play(guide, "uninstall.yml", "-e", "drop_database=mission_control", "-e", "remove_data=true")
    assert done.returncode == 0, done.output
    assert "mission_control" not in guide.on(
        "cd /; runuser -u postgres -- psql -Atc 'select datname from pg_database'"
    )
    assert guide.on(f"ls -A {guide.root}/shared") == ".lock"
    assert "mission-control" not in guide.on(f"ls -R /home/{guide.user}/.config/systemd/user")
    assert guide.status("/health") == 0
    # What was there before this collection came is nobody's to delete, nor is Redis.
    assert guide.on(f"test -s {guide.root}/before-*/backend/.env; echo $?") == "0"
    assert guide.on(f"{REDIS_CLI} zrange default:scheduled 0 -1 withscores") == queue
    # By default the data stays, and with it what a further deployment needs.
    done = play(installer, "uninstall.yml")
    assert done.returncode == 0, done.output
    assert {"adopted.json", "backups", "identity"} <= set(installer.on(f"ls {installer.root}/shared").split())
    assert int(sql("installer", "select count(*) from boards")) > 0

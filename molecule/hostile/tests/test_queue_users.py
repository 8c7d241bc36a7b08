"""Who has the password of Redis, or its port, has nothing of it once the password is another one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from hostile_support import CHECKOUT, HOST, INVENTORY, TO_PASS, on_host, play, tried
from test_squatters import heard, squatting

PASSWORD = "/var/lib/mission-control/redis-password"
EVIL = ("evil", "evilpw")


def told(*words: str, login: tuple[str, str] | None = None) -> str:
    """What Redis answers to who logs in like that; by default with the password that is kept."""
    user, password = login or ("default", on_host(f"cat {PASSWORD}"))
    return on_host("redis-cli", f"AUTH {user} {password}\n{' '.join(words)}\n")


def lets_in(user: str, password: str) -> bool:
    return "PONG" in told("PING", login=(user, password))


@pytest.fixture
def evil() -> Iterator[str]:
    """Who had the password has made himself a user; the password that he had."""
    old = on_host(f"cat {PASSWORD}")
    assert "OK" in told("ACL SETUSER evil on >evilpw ~* &* +@all") and lets_in(*EVIL)
    yield old
    told("ACL DELUSER evil")


def test_no_user_gets_into_a_file(evil: str) -> None:
    assert evil and "Permission denied" in told("CONFIG REWRITE", login=EVIL)
    assert on_host("stat -c '%U %G %a' /etc/redis /etc/redis/*.conf").splitlines() == [
        "root redis 750",
        *["root redis 640"] * 2,
    ]
    listed = on_host("dpkg-statoverride --list").splitlines()
    assert {"root redis 750 /etc/redis", "root redis 640 /etc/redis/redis.conf"} <= set(listed)
    done = tried("timeout 120 mission-control verify queue")
    assert done.returncode == 1 and "Redis has users that nobody deployed: evil" in done.stdout, done.stdout


@pytest.mark.full
def test_a_rotation_puts_out_who_had_the_old_password(evil: str) -> None:
    played = play("rotate.yml", "-e", "secret=redis", settings=TO_PASS)
    assert played.returncode == 0, played.output
    for _ in range(2):
        assert not lets_in(*EVIL) and not lets_in("default", evil)
        assert lets_in("default", on_host(f"cat {PASSWORD}"))
        on_host("systemctl restart redis-server")
    assert tried("timeout 120 mission-control verify queue --wait 60").returncode == 0


@pytest.mark.full
def test_a_deployment_puts_out_who_has_written_into_redis_conf() -> None:
    """As it was while its file was the server's own: the old password is the one that lets in."""
    lines = "user evil on >evilpw ~* &* +@all\nrequirepass OLD\n"
    on_host("cat >> /etc/redis/redis.conf && chown redis /etc/redis /etc/redis/redis.conf", lines)
    on_host("systemctl restart redis-server")
    assert lets_in(*EVIL) and lets_in("default", "OLD")
    played = play("deploy.yml", settings=TO_PASS)
    assert played.returncode == 0, played.output
    assert "lines about users were taken out" in played.output and "evilpw" not in played.output
    assert not lets_in(*EVIL) and not lets_in("default", "OLD")
    assert on_host("stat -c %U /etc/redis /etc/redis/redis.conf").split() == ["root", "root"]
    assert tried("timeout 120 mission-control verify queue --wait 60").returncode == 0


def test_whoever_stands_in_its_place_is_told_nothing(marker: str) -> None:
    """As he may who comes after the preflight, which finds him, too."""
    options = {"state": "both", "passwords": [marker], "password": f"{marker}-new"}
    argv = ["ansible", "-i", str(INVENTORY), HOST, "-b", "-m", "openclaw.mission_control.redis_server"]
    on_host("systemctl stop redis-server")
    try:
        with squatting("http", 6379):
            done = subprocess.run(
                [*argv, "-a", json.dumps(options)], capture_output=True, text=True, check=False, cwd=CHECKOUT
            )
            assert done.returncode != 0 and "taken by somebody else" in done.stdout, done
            assert marker not in done.stdout and not heard().strip()
    finally:
        on_host("systemctl start redis-server; mission-control start --timeout 120")

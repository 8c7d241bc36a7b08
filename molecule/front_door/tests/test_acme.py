"""A certificate of an ACME authority, Debian's pebble on the host: obtained, renewed, and not renewed."""

from __future__ import annotations

import functools
import http.client
import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from event_streams import Streams
from front_door_support import (
    CERTIFICATE,
    STREAM,
    UNIT,
    address,
    deploy,
    play,
    ssh,
    token,
    until,
)

NAME = "mc.test"
DIRECTORY = "https://localhost:14000/dir"
# An account of the authority's, which it wants to be named (RFC 8555, 7.3.4).
KEY_ID, KEY = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
# So many seconds its certificates are valid, which is longer than a deployment takes; and due at once.
VALID = 7200
DUE = "sed -i '1i renew_before_expiry = 1 day' /etc/letsencrypt/renewal/mission-control.conf"
PEBBLE = {
    "pebble": {
        "listenAddress": "127.0.0.1:14000",
        "managementListenAddress": "127.0.0.1:15000",
        "certificate": "/root/pebble/server.crt",
        "privateKey": "/root/pebble/server.key",
        "httpPort": 80,
        "tlsPort": 443,
        "externalAccountBindingRequired": True,
        "externalAccountMACKeys": {KEY_ID: KEY},
        "certificateValidityPeriod": VALID,
    }
}
# Its address is trusted as any authority's would be.
SET_UP = """
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qy install pebble curl >/dev/null 2>&1
# An authority that is started anew knows no account any more.
rm -rf /etc/letsencrypt
cd /root/pebble
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 30 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout server.key -out server.crt 2>/dev/null
cp server.crt /usr/local/share/ca-certificates/pebble.crt
update-ca-certificates >/dev/null 2>&1
systemctl stop acme-authority 2>/dev/null || true
systemd-run --quiet --unit acme-authority \
  -E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_WFE_NONCEREJECT=0 -E PEBBLE_AUTHZREUSE=0 \
  pebble -config /root/pebble/pebble.json
"""


def settings(**others: Any) -> dict[str, Any]:
    return {
        "mission_control_public_url": f"https://{NAME}",
        "mission_control_gateway_public_url": "",
        "mission_control_acme_directory": DIRECTORY,
        "mission_control_acme_key_id": KEY_ID,
        "mission_control_acme_key": KEY,
        # From here the tests ask themselves.
        "verify_controller": False,
        **others,
    }


def leads_to(target: str) -> None:
    """Where the host finds the name, and the authority with it."""
    ssh(f"sed -i /{NAME}/d /etc/hosts; echo {target} {NAME} >> /etc/hosts")


@pytest.fixture(scope="module", autouse=True)
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ansible on the controller finds the name, too, without its /etc/hosts being changed."""
    subprocess.run(["apt-get", "-qy", "install", "libnss-wrapper"], check=True, capture_output=True)
    hosts = tmp_path_factory.mktemp("names") / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{address()} {NAME}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LD_PRELOAD", "libnss_wrapper.so")
        patch.setenv("NSS_WRAPPER_HOSTS", str(hosts))
        yield


@pytest.fixture(scope="module", autouse=True)
def authority(named: None) -> Iterator[None]:
    ssh("install -d -m 0700 /root/pebble; cat > /root/pebble/pebble.json", json.dumps(PEBBLE))
    ssh(SET_UP)
    leads_to(address())
    until(lambda: ssh(f"curl -s {DIRECTORY}", check=False))
    # As it stands there already where an authority is known to the world.
    ssh(
        "curl -s https://localhost:15000/roots/0 > /usr/local/share/ca-certificates/root.crt;"
        " update-ca-certificates"
    )
    deploy(**settings())
    ssh(DUE)
    yield
    ssh(
        f"systemctl stop acme-authority; sed -i /{NAME}/d /etc/hosts; rm -rf /root/pebble;"
        " rm /usr/local/share/ca-certificates/root.crt /usr/local/share/ca-certificates/pebble.crt;"
        " update-ca-certificates --fresh",
        check=False,
    )


@functools.cache
def trusting() -> ssl.SSLContext:
    """Of pebble's root, which it makes anew at each start."""
    root = ssh("curl -s https://localhost:15000/roots/0")
    return ssl.create_default_context(cadata=root)


def connected() -> http.client.HTTPSConnection:
    """To the door, by its name."""
    connection = http.client.HTTPSConnection(NAME, timeout=90, context=trusting())
    plain = socket.create_connection((address(), 443), timeout=90)
    connection.sock = trusting().wrap_socket(plain, server_hostname=NAME)
    return connection


def serial() -> str:
    """Of the certificate that the door shows, which is believed and names it."""
    connection = connected()
    try:
        shown = connection.sock.getpeercert()
        assert shown["subjectAltName"] == (("DNS", NAME),)
        return str(shown["serialNumber"])
    finally:
        connection.close()


def renewal() -> dict[str, Any]:
    """What the host says of it."""
    report = json.loads(ssh("mission-control verify host --format json", check=False))
    (verdict,) = report["views"][0]["verdicts"]
    (part,) = (found for found in verdict["checks"] if found["name"] == "certificate renewal")
    return part


def certbot() -> str:
    """Its timer's service, now; what became of it."""
    ssh("systemctl start certbot.service", check=False)
    return ssh("systemctl show -P Result certbot.service")


def test_the_authority_issued_it_to_the_account_that_it_knows() -> None:
    assert serial()
    assert ssh(f"stat -c '%U %G %a' {CERTIFICATE}.key") == "root haproxy 640"
    assert ssh("stat -c '%U %a' /etc/mission-control/proxy/acme.ini") == "root 600"
    assert renewal()["state"] == "pass"


def test_a_renewal_restarts_nothing_and_cuts_no_stream() -> None:
    before, started = serial(), ssh(f"systemctl show -P MainPID {UNIT}")
    with Streams(5, connected, STREAM, token()) as streams:
        assert certbot() == "success" and serial() != before
        events = streams.events
        until(lambda: streams.events >= events + 5)
    assert streams.ended == []
    assert ssh(f"systemctl show -P MainPID {UNIT}") == started
    assert renewal()["state"] == "pass"


def test_a_renewal_that_fails_is_told_with_the_authoritys_reason_and_cured() -> None:
    before = serial()
    # Somebody else's host, on which nothing listens.
    leads_to(ssh("echo $SSH_CONNECTION").split()[0])
    try:
        assert certbot() == "exit-code"
        part = renewal()
    finally:
        leads_to(address())
    assert (part["state"], part["kind"]) == ("warn", "renewal_fails")
    assert f"{NAME}:80/.well-known/acme-challenge" in part["summary"] and "refused" in part["summary"]
    # The authority remembers for some seconds where the name has led.
    until(lambda: certbot() == "success", 60)
    assert renewal()["state"] == "pass" and serial() != before


def test_a_timer_that_is_off_and_a_certificate_that_is_not_put_in_place_are_told() -> None:
    ssh("systemctl stop certbot.timer")
    assert renewal()["kind"] == "renewal_timer"
    ssh("systemctl enable --now certbot.timer")
    ssh(
        f"cp {CERTIFICATE}.crt /root/shown.crt; openssl req -x509 -newkey rsa:2048 -noenc -subj /CN=other "
        f"-keyout /dev/null -out {CERTIFICATE}.crt 2>/dev/null"
    )
    part = renewal()
    assert part["kind"] == "renewal_not_in_place"
    ssh(part["remedy"].partition(";")[0])
    assert renewal()["state"] == "pass"


def test_a_wrong_account_is_told_before_anything_is_lost() -> None:
    # certbot needs no binding for an account that it has.
    ssh("rm -rf /etc/letsencrypt/accounts")
    code, output = play("deploy", "-e", json.dumps(settings(mission_control_acme_key_id="kid-9")))
    assert code == 2 and "issued no certificate" in output, output[-3000:]
    deploy(**settings())
    assert serial()


def test_without_it_certbot_renews_nothing_for_the_door() -> None:
    deploy()
    assert ssh("ls /etc/letsencrypt/renewal") == ""
    left = ssh("ls /etc/mission-control/proxy").split()
    assert left == ["haproxy.cfg", "lost.html", "lost_gateway.html"]

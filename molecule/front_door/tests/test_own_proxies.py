"""Other proxies in the door's place, as docs/own-proxy.md has them, and with one classic mistake each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from front_door_support import CERTIFICATE, CHECKOUT, UNIT, address, findings, ssh, until

SNIPPETS = (CHECKOUT / "docs/own-proxy.md").read_text()
# Package, where its configuration belongs, how that is checked, and how it runs in the foreground.
PROXIES = {
    "nginx": (
        "nginx-light",
        "/root/own/nginx.conf",
        "nginx -t -c /root/own/whole.conf",
        "nginx -c /root/own/whole.conf -g 'daemon off;'",
    ),
    "haproxy": (
        "haproxy",
        "/root/own/haproxy.cfg",
        "haproxy -c -f /root/own/haproxy.cfg",
        "haproxy -db -f /root/own/haproxy.cfg",
    ),
    "caddyfile": (
        "caddy",
        "/root/own/Caddyfile",
        "caddy validate --config /root/own/Caddyfile --adapter caddyfile",
        "caddy run --config /root/own/Caddyfile --adapter caddyfile",
    ),
}
NGINX = "events {}\nhttp {\n  include /etc/nginx/mime.types;\n  include /root/own/nginx.conf;\n}\n"
# A file for the whole chain of certificates, as the snippets name it.
OWN_FILES = "/etc/ssl/mission-control"


def snippet(language: str) -> str:
    """The block of the page, with the host's own address."""
    found = re.search(rf"^```{language}\n(.*?)^```$", SNIPPETS, re.MULTILINE | re.DOTALL)
    assert found, language
    return found[1].replace("mission-control.example.com", address())


@pytest.fixture(scope="module", autouse=True)
def without_ours() -> Iterator[None]:
    """Ours stands aside; its certificate serves the others. HAProxy finds a key as FILE.crt.key."""
    # No package starts anything of its own.
    ssh("printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d")
    packages = " ".join(package for package, *_rest in PROXIES.values())
    ssh(f"DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends {packages} 2>&1")
    ssh("rm /usr/sbin/policy-rc.d")
    for part in ("crt", "key"):
        ssh(f"install -m 0600 {CERTIFICATE}.{part} {OWN_FILES}.{part}")
    ssh(f"cp {CERTIFICATE}.key {OWN_FILES}.crt.key; mkdir -p /root/own; cat > /root/own/whole.conf", NGINX)
    ssh(f"systemctl stop {UNIT}")
    yield
    ssh(f"systemctl start {UNIT}")
    until(lambda: findings() == {})


@contextmanager
def running(language: str, *changes: str) -> Iterator[None]:
    """This proxy, with its configuration changed by sed, until the block ends."""
    _package, place, check, run = PROXIES[language]
    ssh(f"cat > {place}", snippet(language))
    if changes:
        before = ssh(f"cat {place}")
        ssh(f"sed -i -E {' '.join(f'-e {shlex.quote(change)}' for change in changes)} {place}")
        assert ssh(f"cat {place}") != before, "the change changes nothing"
    ssh(f"{check} 2>&1")
    home = "--setenv=HOME=/root/own"
    ssh(f"systemd-run -q --unit own-proxy --collect {home} /bin/sh -c {shlex.quote('exec ' + run)}")
    try:
        until(lambda: ssh("ss -Hltn 'sport = :443'"))
        yield
    finally:
        ssh("systemctl stop own-proxy", check=False)


@pytest.mark.parametrize("language", PROXIES)
def test_a_proxy_as_the_page_has_it_is_right(language: str) -> None:
    with running(language):
        assert findings(forged=True, stream_hold=20) == {}


MISTAKES: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    # To append is harmless here: uvicorn, on the same host, takes the rightmost address that is no proxy's.
    "nginx hands X-Forwarded-For on": (
        "nginx",
        ("s/X-Forwarded-For .remote_addr/X-Forwarded-For $http_x_forwarded_for/",),
        "forged",
        "door_forwarded_believed",
    ),
    "nginx buffers streams": (
        "nginx",
        (
            "s/proxy_buffering off/proxy_buffering on/",
            "s/text\\/css text\\/plain/text\\/css text\\/event-stream/",
        ),
        "stream",
        "door_stream_buffered",
    ),
    "nginx ends streams": (
        "nginx",
        ("s/proxy_read_timeout 90s/proxy_read_timeout 2s/",),
        "stream",
        "door_stream_cut",
    ),
    "nginx says nothing of the scheme": ("nginx", ("/X-Forwarded-Proto/d",), "scheme", "door_scheme"),
    "nginx takes small bodies": (
        "nginx",
        ("s/client_max_body_size 10m/client_max_body_size 512k/",),
        "bodies",
        "door_body_refused",
    ),
    "nginx hands on /api/ alone": (
        "nginx",
        ("s/location ~ .* \\{/location \\/api\\/ {/",),
        "routes",
        "door_routes",
    ),
    "nginx adds CORS": (
        "nginx",
        ("s/(proxy_pass http:\\/\\/127.0.0.1:8000;)/\\1 add_header Access-Control-Allow-Origin * always;/",),
        "preflight",
        "cors_doubled",
    ),
    "nginx tells its version": ("nginx", ("/server_tokens/d",), "headers", "door_version_told"),
    "caddy believes everybody": (
        "caddyfile",
        ("s/header_up -Forwarded/header_up X-Forwarded-For {http.request.header.X-Forwarded-For}/",),
        "forged",
        "door_forwarded_believed",
    ),
    "haproxy hands X-Forwarded-For on": (
        "haproxy",
        ("/http-request set-header X-Forwarded-For/d", "/http-request del-header X-Forwarded-/d"),
        "forged",
        "door_forwarded_believed",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_classic_mistake_of_theirs_is_found_by_its_name(mistake: str) -> None:
    language, changes, part, kind = MISTAKES[mistake]
    options = {"forged": part == "forged", "stream_hold": 5 if kind == "door_stream_cut" else 0}
    with running(language, *changes):
        found = findings(**options)
    assert found.get(part) == kind, found

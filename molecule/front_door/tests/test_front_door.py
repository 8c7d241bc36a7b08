"""The door as it was deployed, and with one classic mistake after the other."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import shlex
import threading
import time
import uuid

import pytest
from event_streams import Streams
from front_door_support import (
    CERTIFICATE,
    CONFIGURATION,
    STREAM,
    UNIT,
    USER,
    address,
    configured,
    deploy,
    findings,
    play,
    reload,
    shown,
    ssh,
    token,
    trusting,
    until,
    url,
)

# The status of an answer through the door, as a host of the deployment gets it.
INSIDE = """
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile="/etc/mission-control/authority.crt")
print(urllib.request.urlopen(sys.argv[1], context=context, timeout=30).status)
"""


def connected() -> http.client.HTTPSConnection:
    # As long as the door itself waits: on a busy machine a backend takes its time to start.
    return http.client.HTTPSConnection(address(), timeout=90, context=trusting())


def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = connected()
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def user_unit(verb: str, unit: str) -> None:
    ssh(f"systemctl --user -M {USER}@ {verb} {unit}")


# --- as it was deployed ----------------------------------------------------------------------------


def test_nothing_is_wrong_with_it() -> None:
    assert findings(forged=True, stream_hold=20) == {}


def test_verify_says_so_from_the_host_and_from_the_controller() -> None:
    skipped = json.dumps({"verify_skip": ["gateway", "sessions", "session"]})
    code, output = play("verify", "-e", skipped)
    assert code == 0, output[-4000:]
    assert "pass   front_door" in output


def test_the_proxy_is_never_root_and_cannot_change_what_it_reads() -> None:
    assert set(ssh(f"ps -o user= --ppid $(systemctl show -P MainPID {UNIT})").split()) == {"haproxy"}
    assert ssh(f"ps -o user= -p $(systemctl show -P MainPID {UNIT})") == "haproxy"
    for path in (CONFIGURATION, f"{CERTIFICATE}.key", f"{CERTIFICATE}.crt"):
        assert ssh(f"stat -c %U {path}") == "root"
        assert ssh(f"runuser -u haproxy -- test -w {path} && echo yes", check=False) == ""
    # The application's user reads neither the key nor what is said to the proxy.
    for path in (f"{CERTIFICATE}.key", CONFIGURATION, f"/run/{UNIT}/admin.sock"):
        assert ssh(f"runuser -u {USER} -- test -r {path} && echo yes", check=False) == ""
    assert ssh("systemctl is-enabled haproxy.service", check=False) == "disabled"


def test_pages_and_api_speak_http_2() -> None:
    context = trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    connection = http.client.HTTPSConnection(address(), timeout=10, context=context)
    connection.connect()
    assert connection.sock.selected_alpn_protocol() == "h2"
    connection.close()


def test_webhooks_of_a_megabyte_pass_and_larger_ones_get_the_products_413() -> None:
    board = ssh("cd /; runuser -u postgres -- psql -Atc 'select id from boards limit 1' mission_control")
    webhook, secret = (uuid.uuid5(uuid.UUID(board), name) for name in ("webhook", "secret"))
    path = f"/api/v1/boards/{board}/webhooks/{webhook}"

    def send(body: bytes, signed: bool = True) -> tuple[int, bytes]:
        signature = hmac.new(str(secret).encode(), body, hashlib.sha256).hexdigest() if signed else "none"
        connection = connected()
        connection.request("POST", path, body, {"X-Hub-Signature-256": f"sha256={signature}"})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    assert send(bytes(1048576))[0] == 202
    assert send(bytes(1000), signed=False)[0] == 403
    status, body = send(bytes(1048577))
    assert status == 413 and b"Payload exceeds maximum size" in body


# --- calm ------------------------------------------------------------------------------------------


def test_a_reload_cuts_no_stream() -> None:
    with Streams(20, connected, STREAM, token()) as streams:
        events = streams.events
        reload()
        reload()
        assert findings() == {}
        until(lambda: streams.events >= events + 20, 40)
        assert streams.ended == []


def test_a_configuration_that_is_wrong_is_not_loaded() -> None:
    ssh(f"cp -p {CONFIGURATION} /root/haproxy.cfg && echo nonsense >> {CONFIGURATION}")
    try:
        assert "failed" in ssh(f"systemctl reload {UNIT} 2>&1 || echo failed", check=False)
        assert findings() == {}
    finally:
        ssh(f"cp -p /root/haproxy.cfg {CONFIGURATION}")


def test_a_restart_of_the_backend_fails_no_request() -> None:
    problems, done, stop = [], [], threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            try:
                status, _headers, _body = ask("/healthz")
            except OSError as error:
                problems.append(str(error))
            else:
                (done if status == 200 else problems).append(str(status))
            time.sleep(0.02)

    threads = [threading.Thread(target=go_on, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(done) > 50)
    user_unit("restart", "mission-control-backend.service")
    count = len(done)
    until(lambda: len(done) > count + 50, 120)
    stop.set()
    for thread in threads:
        thread.join(120)
    print(f"{len(done)} requests, {len(problems)} failed")
    assert problems == []


def test_what_is_lost_is_told_in_words_and_maintenance_passes_through() -> None:
    user_unit("stop", "mission-control-backend.socket mission-control-backend.service")
    try:
        status, headers, body = ask("/api/v1/boards")
        assert (status, headers["content-type"]) == (503, "application/json")
        assert "does not reach the backend" in json.loads(body)["detail"]
        assert ask("/")[0] == 200
    finally:
        user_unit("start", "mission-control-backend.socket mission-control-backend.service")
    user_unit("stop", "mission-control-frontend.socket mission-control-frontend.service")
    try:
        status, headers, body = ask("/")
        assert (status, headers["retry-after"]) == (503, "5")
        assert b"Mission Control does not answer just now" in body
        assert "max-age" in headers["strict-transport-security"]
    finally:
        user_unit("start", "mission-control-frontend.socket mission-control-frontend.service")
    code, output = play("maintenance", "-e", "state=on", "-e", json.dumps({"reason": "New disks"}))
    assert code == 0, output[-2000:]
    try:
        for path in ("/", "/api/v1/boards"):
            status, _headers, body = ask(path)
            assert status == 503 and b"New disks" in body
    finally:
        code, output = play("maintenance", "-e", "state=off")
        assert code == 0, output[-2000:]
    until(lambda: findings() == {})


# --- classic mistakes ------------------------------------------------------------------------------

MISTAKES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "no HSTS": (("/Strict-Transport-Security/d",), "headers", "door_hsts_missing"),
    "tells its version": (
        ("s/http-response del-header Server/http-response set-header Server nginx\\/1.26.3/",),
        "headers",
        "door_version_told",
    ),
    "redirects elsewhere": (
        ("s/redirect prefix [^ ]+/redirect prefix https:\\/\\/elsewhere.invalid/",),
        "redirect",
        "door_redirect_elsewhere",
    ),
    "redirects for once": (("s/code 308/code 302/",), "redirect", "door_redirect_passing"),
    "serves without TLS": (
        ("s/http-request redirect prefix.*/default_backend page/",),
        "redirect",
        "door_serves_http",
    ),
    "hands X-Forwarded-For on as it came": (
        ("/http-request set-header X-Forwarded-For/d", "/http-request del-header X-Forwarded-/d"),
        "forged",
        "door_forwarded_believed",
    ),
    "lets Forwarded through and says nothing itself": (
        ("/http-request set-header X-Forwarded-For/d", "/http-request del-header Forwarded/d"),
        "forged",
        "door_forwarded_believed",
    ),
    "hides the scheme": (("/X-Forwarded-Proto/d",), "scheme", "door_scheme"),
    "hides the name": (
        ("s/(http-request set-header X-Forwarded-Proto .*)/\\1\\n    http-request set-header Host backend/",),
        "scheme",
        "door_host",
    ),
    "old TLS": (
        ("s/ssl-min-ver TLSv1.2/ssl-min-ver TLSv1.0/", "s/(ssl-default-bind-ciphers ).*/\\1ALL:@SECLEVEL=0/"),
        "tls",
        "door_old_tls",
    ),
    "refuses a megabyte": (("s/10485760/1000000/",), "bodies", "door_body_refused"),
    "cuts streams": (("s/timeout server .*/timeout server 2s/",), "stream", "door_stream_cut"),
    "packs streams": (("s/(compression type)/\\1 text\\/event-stream/",), "stream", "door_stream_packed"),
    "doubles CORS": (
        ("s/(backend api)/\\1\\n    http-response add-header Access-Control-Allow-Origin https:\\/\\/x/",),
        "preflight",
        "cors_doubled",
    ),
    "takes Vary away": (
        ("s/(backend api)/\\1\\n    http-response del-header Vary/",),
        "preflight",
        "cors_vary_missing",
    ),
    "hands the API to the pages": (("/use_backend api/d",), "routes", "door_routes"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_classic_mistake_is_found_by_its_name(mistake: str) -> None:
    changes, part, kind = MISTAKES[mistake]
    options = {"forged": part == "forged", "stream_hold": 5 if mistake == "cuts streams" else 0}
    with configured(*changes):
        found = findings(**options)
    assert found.get(part) == kind, found


EC = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc"
OWN = "/var/lib/mission-control/authority/authority"


def issued(names: str, validity: str, authority: str = OWN) -> str:
    """Commands that make proxy.crt and proxy.key."""
    return (
        f"openssl req {EC} -keyout proxy.key -out request -subj /CN=x; "
        f"printf subjectAltName={names} > names; openssl x509 -req -in request -CA {authority}.crt "
        f"-CAkey {authority}.key {validity} "
        "-extfile names -out proxy.crt"
    )


def alone(name: str, names: str) -> str:
    """Commands that make a certificate that signs itself."""
    return (
        f"openssl req -x509 {EC} -keyout {name}.key -out {name}.crt -days 30 -subj /CN={name} "
        f"-addext subjectAltName={names}"
    )


def test_certificates_that_no_browser_believes_are_told_apart() -> None:
    name = f"IP:{address()}"
    past = "-not_before 20240101000000Z -not_after 20240201000000Z"
    cases = {
        "door_self_signed": alone("proxy", name),
        "door_chain_missing": f"{alone('ca', 'DNS:ca')}; {issued(name, '-days 30', 'ca')}",
        "door_certificate_name": issued("DNS:other.invalid", "-days 30"),
        "door_certificate_expired": issued(name, past),
        "door_certificate_ends": issued(name, "-days 2"),
    }
    found = {}
    for kind, make in cases.items():
        with shown(make):
            found[kind] = findings().get("certificate")
    assert found == {kind: kind for kind in cases}
    assert findings() == {}


def test_a_door_that_is_closed_and_a_backend_that_is_open_past_it() -> None:
    ssh(f"systemd-run --unit past-the-door python3 -m http.server --bind {address()} 8000")
    try:
        until(lambda: findings() == {"past the door": "door_bypassed"})
    finally:
        ssh("systemctl stop past-the-door")
    ssh(f"systemctl stop {UNIT}")
    try:
        assert findings() == {"certificate": "door_closed", "redirect": "door_no_redirect"}
    finally:
        ssh(f"systemctl start {UNIT}")
    until(lambda: findings() == {})


# --- other certificates, and who may come in ---------------------------------------------------------------


def test_given_files_are_shown_and_the_authority_takes_over_again() -> None:
    make = issued(f"IP:{address()}", "-days 50")
    place = ssh(f"set -e; cd $(mktemp -d); ({make}) >/dev/null 2>&1; pwd")
    certificate, key = ssh(f"cat {place}/proxy.crt {OWN}.crt"), ssh(f"cat {place}/proxy.key")
    deploy(mission_control_certificate=certificate + "\n", mission_control_certificate_key=key + "\n")
    assert findings() == {}
    assert ssh(f"cat {CERTIFICATE}.crt") == certificate
    assert ssh(f"stat -c '%U %G %a' {CERTIFICATE}.key") == "root haproxy 640"


def test_who_may_come_in_and_to_what() -> None:
    def from_the_host(path: str) -> str:
        return ssh(f"python3 -c {shlex.quote(INSIDE)} {url()}{path}")

    deploy(mission_control_allowed_networks=["192.0.2.0/24"])
    status, headers, _body = ask("/")
    assert (status, headers["mission-control-door"]) == (403, "no-entry")
    assert findings() == {"entry": "door_no_entry"}
    assert from_the_host("/healthz") == from_the_host("/") == "200"
    ours = ssh("echo $SSH_CONNECTION").split()[0]
    closed = {"mission_control_allowed_networks": [ours], "mission_control_closed_paths": ["docs", "health"]}
    deploy(**closed)
    assert findings(closed=["docs", "health"]) == {}
    answers = {path: ask(path)[0] for path in ("/", "/docs", "/openapi.json", "/healthz", "/api/v1/boards")}
    assert answers == {"/": 200, "/docs": 404, "/openapi.json": 404, "/healthz": 404, "/api/v1/boards": 401}
    assert from_the_host("/docs") == from_the_host("/healthz") == "200"
    skipped = {"verify_skip": ["gateway", "sessions", "session"]}
    code, output = play("verify", "-e", json.dumps(closed | skipped))
    assert code == 0, output[-4000:]
    deploy()
    assert ask("/docs")[0] == ask("/healthz")[0] == 200
    assert findings(closed=["docs"]) == {"closed": "door_paths_open"}

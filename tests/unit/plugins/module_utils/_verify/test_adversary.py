"""A hostile server: each misbehaviour gets its own verdict, within its deadline and without a traceback."""

from __future__ import annotations

import contextlib
import datetime
import resource
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.client import Client
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.failure import classify
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.redirects import follow
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import (
    frontend,
    health,
    membership,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.suite import run_suite
from checks_support import TOKEN, common, options_of

TIMEOUT = 0.6
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
Behaviour = Callable[[socket.socket], None]


def drain(connection: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(OSError):
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                break
            data += piece
    return data


def slow(connection: socket.socket) -> None:
    drain(connection)
    time.sleep(5)


def drip_head(connection: socket.socket) -> None:
    drain(connection)
    for byte in HEAD + b"x-padding: " + b"a" * 1000:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def drip_body(connection: socket.socket) -> None:
    drain(connection)
    connection.sendall(HEAD + b"content-length: 5000\r\n\r\n")
    for _number in range(5000):
        connection.sendall(b" ")
        time.sleep(0.05)


def half_open(connection: socket.socket) -> None:
    # Never reads, never answers, never closes.
    time.sleep(5)


def closes(connection: socket.socket) -> None:
    drain(connection)


def resets(connection: socket.socket) -> None:
    drain(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def truncated_body(connection: socket.socket) -> None:
    drain(connection)
    connection.sendall(HEAD + b'content-length: 500\r\n\r\n{"ok": tr')


def truncated_chunk(connection: socket.socket) -> None:
    drain(connection)
    connection.sendall(HEAD + b'transfer-encoding: chunked\r\n\r\nff\r\n{"ok": tr')


def truncated_json(connection: socket.socket) -> None:
    drain(connection)
    connection.sendall(HEAD + b'content-length: 9\r\n\r\n{"ok": tr')


def huge(connection: socket.socket) -> None:
    drain(connection)
    connection.sendall(HEAD + b"content-length: 9999999999\r\n\r\n")
    block = b" " * 1_000_000
    with contextlib.suppress(OSError):
        for _number in range(400):
            connection.sendall(block)


def wrong_type(connection: socket.socket) -> None:
    drain(connection)
    body = b"<html>It works!</html>"
    connection.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    )


def nonsense(connection: socket.socket) -> None:
    drain(connection)
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 3)


def endless_header(connection: socket.socket) -> None:
    drain(connection)
    with contextlib.suppress(OSError):
        connection.sendall(HEAD + b"x: " + b"a" * 200_000)
        time.sleep(0.2)


def status(code: int, extra: bytes = b"", body: bytes = b'{"detail":"x"}') -> Behaviour:
    def behave(connection: socket.socket) -> None:
        drain(connection)
        connection.sendall(
            b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%s\r\n%s"
            % (code, len(body), extra, body)
        )

    return behave


@pytest.fixture
def misbehave() -> Iterator[Callable[[Behaviour], str]]:
    listeners: list[socket.socket] = []

    def start(behaviour: Behaviour) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def handle(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                behaviour(connection)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    threading.Thread(target=handle, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def verdict_on(url: str, **given: Any) -> dict[str, Any]:
    report = run_suite(
        {"health": health.run},
        common(url=url, token=TOKEN, timeout=TIMEOUT, **given),
        check_options={"health": options_of("health", paths=["/healthz"])},
        suite_deadline=3.0,
    )
    found: dict[str, Any] = report["verdicts"][0]
    assert found["checks"], found
    assert found["cause"] and found["remedy"]
    return found


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (slow, "timeout"),
        (drip_head, "timeout"),
        (drip_body, "timeout"),
        (half_open, "timeout"),
        (closes, "reset"),
        (resets, "reset"),
        (truncated_body, "incomplete"),
        (truncated_chunk, "incomplete"),
        (truncated_json, "broken_json"),
        (wrong_type, "not_json"),
        (nonsense, "not_http"),
        (endless_header, "not_http"),
        (status(401), "unauthorized"),
        (status(403), "forbidden"),
        (status(404), "not_found"),
        (status(429, b"retry-after: 17\r\n"), "rate_limited"),
        (status(500), "server_error"),
        (status(502), "server_error"),
        (status(302, b"location: /healthz\r\n"), "redirected"),
        (status(418), "unexpected_status"),
        (status(200, body=b'{"ok":false}'), "not_ok"),
        (status(200, body=b"[" * 200_000), "broken_json"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", "status"),
)
def test_each_misbehaviour_has_its_verdict_in_time(
    misbehave: Callable[[Behaviour], str], behaviour: Behaviour, kind: str
) -> None:
    url = misbehave(behaviour)
    started = time.monotonic()
    found = verdict_on(url)
    elapsed = time.monotonic() - started
    assert (found["state"], found["kind"]) == ("fail", kind), found
    assert elapsed < TIMEOUT + 2.0
    assert "Traceback" not in str(found)


def test_retry_after_is_told(misbehave: Callable[[Behaviour], str]) -> None:
    found = verdict_on(misbehave(status(429, b"retry-after: 17\r\n")))
    assert "17 s" in found["summary"]
    assert found["checks"][0]["evidence"]["retry_after"] == "17"


def test_a_huge_body_is_cut_off_in_bounded_memory(misbehave: Callable[[Behaviour], str]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = verdict_on(misbehave(huge))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert found["kind"] in ("too_large", "timeout")
    assert grown < 80_000


def test_the_limit_of_a_body_holds_exactly(misbehave: Callable[[Behaviour], str]) -> None:
    url = misbehave(huge)
    client = Client(url, timeout=5, max_body=300_000)
    answer = client.get("/")
    assert answer.failure is not None and answer.failure.kind == "too_large"
    assert len(answer.body) == 300_000


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = verdict_on(f"http://127.0.0.1:{port}")
    assert (found["state"], found["kind"]) == ("fail", "refused")
    assert str(port) in found["cause"]


def test_a_port_that_never_accepts() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = []
        for _number in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            waiting.append(filler)
        started = time.monotonic()
        found = verdict_on(f"http://127.0.0.1:{port}")
        for filler in waiting:
            filler.close()
    assert found["kind"] == "connect_timeout"
    assert time.monotonic() - started < TIMEOUT + 2.0


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any, **_options: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    # No name server is asked in tests.
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = verdict_on("http://mission-control.invalid:8000")
    assert (found["state"], found["kind"]) == ("fail", "dns")
    assert "mission-control.invalid" in found["cause"]


def test_a_chain_of_requests_to_a_silent_server_waits_once(misbehave: Callable[[Behaviour], str]) -> None:
    client = Client(misbehave(half_open), timeout=1.3)
    started = time.monotonic()
    kinds = [client.get("/").failure for _number in range(2)]
    elapsed = time.monotonic() - started
    assert [failure.kind for failure in kinds if failure] == ["timeout", "timeout"]
    assert 2.2 < elapsed < 3.5
    client.forget()
    assert client._silent == set()


def test_a_redirect_loop_ends(misbehave: Callable[[Behaviour], str]) -> None:
    client = Client(misbehave(status(302, b"location: /again\r\n")), timeout=TIMEOUT)
    answer = client.get("/", then=partial(follow, most=5))
    assert answer.failure is not None and answer.failure.kind == "redirect_loop"
    assert client.get("/").status == 302


def test_a_redirect_to_another_origin_does_not_get_the_token(
    serve: Callable[..., str], misbehave: Callable[[Behaviour], str]
) -> None:
    seen: list[str | None] = []

    def handle(handler: Any) -> None:
        seen.append(handler.headers.get("Authorization"))
        handler.send_response(204)
        handler.end_headers()

    target = serve(handle)
    client = Client(misbehave(status(307, f"location: {target}/x\r\n".encode())), token=TOKEN, timeout=2)
    assert client.get("/", then=partial(follow, most=1)).status == 204
    assert client.get(f"{target}/y").status == 204
    assert seen == [None, None]


def test_a_redirect_to_another_host_is_not_followed(
    serve: Callable[..., str], misbehave: Callable[[Behaviour], str]
) -> None:
    """Who answers must not have us ask whom only we can reach."""
    seen: list[str] = []

    def handle(handler: Any) -> None:
        seen.append(handler.path)
        handler.send_response(204)
        handler.end_headers()

    target = serve(handle).replace("127.0.0.1", "localhost")
    url = misbehave(status(307, f"location: {target}/internal\r\n".encode()))
    assert Client(url, timeout=TIMEOUT).get("/", then=follow).status == 307
    report = run_suite(
        {"frontend": frontend.run},
        common(url=url, timeout=2.0),
        check_options={"frontend": {**options_of("frontend"), "frontend_url": url}},
    )
    page = report["verdicts"][0]["checks"][0]
    assert (page["state"], page["kind"]) == ("fail", "redirected") and "/internal" in page["summary"]
    assert seen == []


def echo(connection: socket.socket) -> None:
    request = drain(connection)
    body = b'{"you sent": %s}' % repr(request).replace("'", '"').encode()
    connection.sendall(
        b"HTTP/1.1 500 X\r\ncontent-type: application/json\r\nx-request-id: %s\r\n"
        b"content-length: %d\r\n\r\n%s" % (TOKEN.encode(), len(body), body)
    )


def test_an_echo_of_the_token_is_never_shown(misbehave: Callable[[Behaviour], str]) -> None:
    report = run_suite(
        {"membership": membership.run},
        common(url=misbehave(echo), token=TOKEN, timeout=2.0),
        check_options={"membership": options_of("membership")},
    )
    text = str(report)
    assert report["state"] == "fail"
    assert "********" in text
    assert TOKEN not in text and TOKEN[:20] not in text


def certificate(directory: Path, start: int, end: int, name: str = "localhost") -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + datetime.timedelta(days=start))
        .not_valid_after(now + datetime.timedelta(days=end))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / f"{name}{start}{end}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def tls(pem: Path, behaviour: Behaviour) -> Behaviour:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            behaviour(secure)
            # Let the other side read before the connection is reset.
            with contextlib.suppress(OSError):
                secure.unwrap()

    return behave


OK = status(200, body=b'{"ok":true}')


@pytest.mark.parametrize(
    ("start", "end", "name", "trusted", "kind"),
    [
        (-20, -10, "localhost", True, "tls_expired"),
        (10, 20, "localhost", True, "tls_not_yet_valid"),
        (-1, 20, "other.invalid", True, "tls_hostname"),
        (-1, 20, "localhost", False, "tls_untrusted"),
        (-1, 20, "localhost", True, ""),
    ],
)
def test_certificates(
    misbehave: Callable[[Behaviour], str],
    tmp_path: Path,
    start: int,
    end: int,
    name: str,
    trusted: bool,
    kind: str,
) -> None:
    pem = certificate(tmp_path, start, end, name)
    url = misbehave(tls(pem, OK)).replace("http://127.0.0.1", "https://localhost")
    report = run_suite(
        {"health": health.run},
        common(url=url, timeout=2.0, ca_path=str(pem) if trusted else ""),
        check_options={"health": options_of("health", paths=["/healthz"])},
    )
    verdict = report["verdicts"][0]
    assert (verdict["state"], verdict["kind"]) == ("fail" if kind else "pass", kind), verdict
    if not kind:
        assert verdict["checks"][0]["evidence"]["timings_ms"]["tls"] > 0


def test_unverified_tls_when_it_is_wished(misbehave: Callable[[Behaviour], str], tmp_path: Path) -> None:
    pem = certificate(tmp_path, -20, -10)
    url = misbehave(tls(pem, OK)).replace("http:", "https:")
    assert Client(url, verify=False, timeout=2).get("/healthz").ok


def test_plain_http_where_tls_is_expected(misbehave: Callable[[Behaviour], str]) -> None:
    def plain(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    found = verdict_on(misbehave(plain).replace("http:", "https:"))
    assert found["kind"] == "not_http"
    assert "perhaps TLS is off there" in found["cause"]


def test_what_is_not_known_keeps_its_message() -> None:
    assert classify(RuntimeError("odd")).message == "odd"


def test_a_connection_is_reused_and_the_phases_are_timed(serve: Callable[..., str]) -> None:
    ports = []

    def handle(handler: Any) -> None:
        ports.append(handler.client_address[1])
        handler.send_response(200)
        handler.send_header("content-length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    client = Client(serve(handle), timeout=2)
    first, second = client.get("/"), client.get("/")
    assert set(first.timings) == {"resolve", "connect", "first_byte", "transfer", "total"}
    assert set(second.timings) == {"first_byte", "transfer", "total"}
    assert len(set(ports)) == 1
    assert client.requests_sent == 2
    assert sum(value for key, value in first.timings.items() if key != "total") <= first.timings["total"] + 1


def test_an_idle_connection_that_the_server_closed_is_opened_anew(
    misbehave: Callable[[Behaviour], str],
) -> None:
    def one_answer(connection: socket.socket) -> None:
        OK(connection)
        # Takes the next request and closes: the race of an idle connection.
        drain(connection)

    client = Client(misbehave(one_answer), timeout=2)
    assert [client.get("/healthz").status for _number in range(3)] == [200, 200, 200]


def test_a_compressed_bomb_is_cut_off(misbehave: Callable[[Behaviour], str]) -> None:
    import gzip

    body = gzip.compress(b" " * 50_000_000)
    client = Client(
        misbehave(status(200, b"content-encoding: gzip\r\n", body)), timeout=5, max_body=1_000_000
    )
    answer = client.get("/")
    assert answer.failure is not None and answer.failure.kind == "too_large"
    assert len(answer.body) <= 1_000_001
    small = gzip.compress(b'{"ok":true}')
    client = Client(misbehave(status(200, b"content-encoding: gzip\r\n", small)), timeout=5)
    assert client.get("/").json() == {"ok": True}

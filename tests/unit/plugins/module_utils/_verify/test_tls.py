"""TLS with Redis and PostgreSQL, with real servers or their own first bytes, and certificates made here."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.certificates import (
    DAY,
    judge_certificate,
    postgresql_certificate_ends,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.redis import Redis, RedisError
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import FAIL, PASS, WARN

LIMITS = {"certificate_days_warning": "60:", "certificate_days_critical": "7:"}


@dataclass(frozen=True)
class Files:
    """An authority, a certificate of it for localhost by name, and another authority."""

    authority: Path
    certificate: Path
    key: Path
    other: Path


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl (apt-get install openssl)")
    at = tmp_path_factory.mktemp("tls")
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "100")
    for name in ("authority", "other"):
        openssl(*new, "-subj", f"/CN={name}", "-keyout", at / f"{name}.key", "-out", at / f"{name}.crt")
    signed = ("-CA", at / "authority.crt", "-CAkey", at / "authority.key")
    usage = ("-addext", "basicConstraints=critical,CA:FALSE")
    names = ("-addext", "subjectAltName=DNS:localhost")
    written = ("-keyout", at / "server.key", "-out", at / "server.crt")
    openssl(*new, *signed, *usage, *names, "-subj", "/CN=server", *written)
    return Files(at / "authority.crt", at / "server.crt", at / "server.key", at / "other.crt")


@pytest.fixture(scope="module")
def port(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Redis that speaks TLS and nothing else."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server (apt-get install redis-server)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    settings = {
        "port": 0,
        "tls-port": number,
        "tls-cert-file": files.certificate,
        "tls-key-file": files.key,
        "tls-ca-cert-file": files.authority,
        "tls-auth-clients": "no",
        "bind": "127.0.0.1",
        "dir": tmp_path_factory.mktemp("redis"),
        "save": "",
    }
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    server = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", number), 1).close()
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    yield number
    server.terminate()
    server.wait()


def test_redis_is_asked_by_tls_and_its_certificate_seen(port: int, files: Files) -> None:
    redis = Redis(f"rediss://localhost:{port}/0?ssl_cert_reqs=required&ssl_ca_certs={files.authority}")
    assert redis.call("PING") == "PONG"
    redis.close()
    assert redis.certificate_ends is not None
    assert 98 * DAY < redis.certificate_ends - time.time() < 101 * DAY


@pytest.mark.parametrize(
    ("host", "authority", "says"),
    [
        ("localhost", "other", "self-signed|unable to get local issuer"),
        # The certificate knows the server by name only.
        ("127.0.0.1", "authority", "IP address mismatch|doesn't match"),
        ("localhost", "", "self-signed|unable to get local issuer"),
    ],
)
def test_another_certificate_of_redis_is_refused(
    port: int, files: Files, host: str, authority: str, says: str
) -> None:
    told = f"?ssl_ca_certs={getattr(files, authority)}" if authority else ""
    with pytest.raises(RedisError, match=says) as refused:
        Redis(f"rediss://{host}:{port}/0{told}")
    assert refused.value.kind == "tls"


def test_an_authority_that_is_not_there_is_no_server_that_is_down(port: int) -> None:
    with pytest.raises(RedisError, match="No such file") as refused:
        Redis(f"rediss://localhost:{port}/0?ssl_ca_certs=/nonexistent/authority.crt")
    assert refused.value.kind == "tls"


def test_nobody_is_answered_without_tls(port: int) -> None:
    redis = Redis(f"redis://localhost:{port}/0")
    with pytest.raises(RedisError):
        redis.call("PING")
    redis.close()


def test_checking_is_left_out_only_where_the_address_says_so(port: int, files: Files) -> None:
    redis = Redis(f"rediss://localhost:{port}/0?ssl_cert_reqs=none")
    assert redis.call("PING") == "PONG" and redis.certificate_ends is None
    redis.close()
    by_address = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={files.authority}&ssl_check_hostname=false"
    redis = Redis(by_address)
    assert redis.call("PING") == "PONG"
    redis.close()


@pytest.fixture
def database(files: Files) -> Iterator[int]:
    """What answers PostgreSQL's question for TLS, and shows the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        plain, _address = listener.accept()
        with plain:
            assert plain.recv(8) == bytes([0, 0, 0, 8, 4, 210, 22, 47])
            plain.sendall(b"S")
            try:
                context.wrap_socket(plain, server_side=True).close()
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.close()
    thread.join(10)


def test_the_certificate_of_postgresql_is_seen(database: int, files: Files) -> None:
    url = f"postgresql+psycopg://u:p@127.0.0.1:{database}/d?sslmode=verify-full&sslrootcert={files.authority}"
    ends = postgresql_certificate_ends(url, 5)
    assert ends is not None and 98 * DAY < ends - time.time() < 101 * DAY


def test_a_certificate_of_postgresql_that_is_not_believed_tells_nothing(database: int, files: Files) -> None:
    url = f"postgresql://u:p@127.0.0.1:{database}/d?sslmode=verify-full&sslrootcert={files.other}"
    assert postgresql_certificate_ends(url, 5) is None


def test_nothing_is_asked_of_a_database_without_checked_certificates() -> None:
    # Nothing listens there: an attempt would not be quiet about it for a second.
    for url in ("postgresql://u:p@127.0.0.1:1/d", "postgresql://u:p@127.0.0.1:1/d?sslmode=require"):
        assert postgresql_certificate_ends(url, 5) is None


@pytest.mark.parametrize(("days", "state"), [(400, PASS), (30, WARN), (3, FAIL), (-1, FAIL)])
def test_a_certificate_that_ends_is_told_in_time(days: int, state: str) -> None:
    (verdict,) = judge_certificate(1000.0 + days * DAY, 1000.0, LIMITS)
    assert verdict.state == state
    assert (verdict.kind == "server_certificate") == (state != PASS)


def test_no_certificate_is_no_finding() -> None:
    assert judge_certificate(None, 0.0, LIMITS) == []

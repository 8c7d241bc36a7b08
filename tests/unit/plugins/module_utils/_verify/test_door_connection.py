# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections to a front door, tried on real sockets and on OpenSSL."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.door_connection import (
    Door,
    answers,
    place_of,
)

REQUEST = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("door")
    more = ["-keyout", "key.pem", "-out", "crt.pem", "-days", "9", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*REQUEST, *more, *names], cwd=place, check=True, capture_output=True)
    return place


@contextlib.contextmanager
def served(certificate: Path, *options: str) -> Iterator[int]:
    """OpenSSL's own server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [
        "openssl",
        "s_server",
        "-accept",
        str(port),
        "-cert",
        "crt.pem",
        "-key",
        "key.pem",
        "-www",
        "-quiet",
    ]
    with subprocess.Popen(
        [*argv, *options], cwd=certificate, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        try:
            until = time.monotonic() + 10
            while not answers(f"https://127.0.0.1:{port}", 1):
                assert time.monotonic() < until
                time.sleep(0.05)
            yield port
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("options", "spoken"),
    [
        (("-cipher", "ALL:@SECLEVEL=0", "-min_protocol", "TLSv1"), [1, 2]),
        (("-cipher", "ALL:@SECLEVEL=0", "-min_protocol", "TLSv1.1"), [2]),
        (("-min_protocol", "TLSv1.2"), []),
        (("-min_protocol", "TLSv1.3"), []),
    ],
)
def test_which_old_versions_a_server_speaks(
    certificate: Path, options: tuple[str, ...], spoken: list[int]
) -> None:
    with served(certificate, *options) as port:
        for host in ("127.0.0.1", "localhost"):
            door = Door(f"https://{host}:{port}", True, 5)
            assert [minor for minor in (1, 2) if door.speaks(minor)] == spoken


def test_the_certificate_that_is_shown(certificate: Path) -> None:
    with served(certificate) as port:
        shown = Door(f"https://127.0.0.1:{port}", str(certificate / "crt.pem"), 5).shown()
        assert "notAfter" in shown
        with pytest.raises(OSError, match="self-signed"):
            Door(f"https://127.0.0.1:{port}", True, 5).shown()


def test_what_is_no_tls_speaks_no_version() -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        door = Door(f"https://127.0.0.1:{plain.getsockname()[1]}", True, 5)
        thread = threading.Thread(target=lambda: plain.accept()[0].close())
        thread.start()
        assert door.speaks(1) is False
        thread.join()
    assert door.speaks(1) is False


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://mc.example.com", ("mc.example.com", 443)),
        ("http://mc.example.com", ("mc.example.com", 80)),
        ("https://[fd00::2]:8443/x", ("fd00::2", 8443)),
    ],
)
def test_where_a_url_leads(url: str, place: tuple[str, int]) -> None:
    assert place_of(url) == place

"""Addresses to listen on: a table of them, and what each means to units, URLs, checks and those who ask."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.addresses import FilterModule, listen_stream
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import (
    addresses,
    literal_addresses,
    reachable,
    written_addresses,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._services import states

# address, ListenStream=, URL at which the host asks, reach
TABLE = [
    ("0.0.0.0", "0.0.0.0:8000", "http://127.0.0.1:8000", "any"),
    ("::", "[::]:8000", "http://[::1]:8000", "any"),
    ("[::]", "[::]:8000", "http://[::1]:8000", "any"),
    ("0:0::0", "[0:0::0]:8000", "http://[::1]:8000", "any"),
    ("*", "8000", "http://127.0.0.1:8000", "any"),
    ("", "8000", "http://127.0.0.1:8000", "any"),
    ("127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:8000", "loopback"),
    ("127.0.0.53", "127.0.0.53:8000", "http://127.0.0.53:8000", "loopback"),
    ("localhost", "127.0.0.1:8000", "http://localhost:8000", "loopback"),
    ("::1", "[::1]:8000", "http://[::1]:8000", "loopback"),
    ("[::1]", "[::1]:8000", "http://[::1]:8000", "loopback"),
    ("::ffff:127.0.0.1", "[::ffff:127.0.0.1]:8000", "http://[::ffff:127.0.0.1]:8000", "loopback"),
    ("10.0.0.7", "10.0.0.7:8000", "http://10.0.0.7:8000", "10.0.0.7"),
    ("2001:db8::7", "[2001:db8::7]:8000", "http://[2001:db8::7]:8000", "2001:db8::7"),
    ("[2001:DB8::7]", "[2001:DB8::7]:8000", "http://[2001:DB8::7]:8000", "2001:db8::7"),
]


@pytest.mark.parametrize(("address", "stream", "url", "reach"), TABLE)
def test_an_address_means_the_same_to_everybody(address: str, stream: str, url: str, reach: str) -> None:
    assert reachable.is_address(address)
    assert reachable.listen_stream(address, 8000) == stream
    assert addresses.url(address, 8000) == url
    assert reachable.reach(address) == reach
    assert addresses.is_everywhere(address) is (reach == "any")
    assert reachable.is_loopback(address) is (reach == "loopback")
    filters = FilterModule().filters()
    assert filters["listen_stream"](address, 8000) == stream
    assert filters["service_url"](address, "8000", "https") == url.replace("http:", "https:")
    assert filters["address_reach"](address) == reach
    assert filters["url_host"](address) == written_addresses.in_url(address)
    # What a program is told to listen on reaches as far.
    assert reachable.reach(filters["bind_address"](address)) == reach
    assert not set("[]*") & set(filters["bind_address"](address))


@pytest.mark.parametrize(("address", "stream", "_url", "_reach"), TABLE)
def test_systemd_takes_what_is_written(
    tmp_path: Path, address: str, stream: str, _url: str, _reach: str
) -> None:
    (tmp_path / "x.service").write_text("[Service]\nExecStart=/bin/true\n")
    unit = tmp_path / "x.socket"
    unit.write_text(f"[Socket]\nListenStream={stream}\nBindIPv6Only=both\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert "ListenStream" not in done.stderr and "Failed to parse" not in done.stderr, (address, done.stderr)


def test_systemd_does_not_take_what_was_written_before(tmp_path: Path) -> None:
    unit = tmp_path / "x.socket"
    unit.write_text("[Socket]\nListenStream=:::8000\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert "Failed to parse" in done.stderr


@pytest.mark.parametrize(
    ("listening", "address"),
    [
        (("127.0.0.1", socket.AF_INET), "0.0.0.0"),
        (("127.0.0.1", socket.AF_INET), "*"),
        (("::1", socket.AF_INET6), "::"),
    ],
)
def test_who_listens_everywhere_is_found_where_one_asks(
    listening: tuple[str, socket.AddressFamily], address: str
) -> None:
    host, family = listening
    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]
        with socket.create_connection((addresses.ask_at(address), port), timeout=5):
            pass


@pytest.mark.parametrize(
    "address", ["db.example", "300.1.1.1", "::g", "10.0.0.1:8000", "0.0.0.0/0", "fe80::1%eth0"]
)
def test_what_is_no_address_is_refused_by_name(address: str) -> None:
    assert not reachable.is_address(address)
    with pytest.raises(AnsibleFilterError, match="is not a valid address"):
        listen_stream(address, 8000)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("", True),
        ("localhost", True),
        ("app.localhost", True),
        ("::1", True),
        ("127.8.0.1", True),
        ("postgresql:///d?host=/run/postgresql", True),
        ("http://[::1]:8000/x", True),
        ("http://app:8000", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_whether_a_client_stays_on_its_host(host: str, here: bool) -> None:
    assert reachable.is_this_host(host) is here


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0.0.0.0:8000", ("0.0.0.0", 8000)),
        ("[::]:8000", ("::", 8000)),
        ("8000", ("", 8000)),
        ("/run/x.sock", None),
        ("x:http", None),
    ],
)
def test_an_address_with_its_port_is_taken_apart(text: str, place: tuple[str, int] | None) -> None:
    assert states.split(text) == place


@pytest.mark.parametrize(
    ("public", "api"),
    [
        ("http://mc.example:3000", "http://mc.example:8000"),
        ("https://mc.example", "https://mc.example"),
        ("http://[2001:db8::1]:3000", "http://[2001:db8::1]:8000"),
        ("", ""),
        (None, ""),
        ("mc.example", ""),
    ],
)
def test_the_apis_address_comes_from_the_pages(public: str | None, api: str) -> None:
    assert FilterModule().filters()["api_url"](public) == api


@pytest.mark.parametrize(
    ("host", "literal"),
    [("10.0.0.5", True), ("2001:db8::1", True), ("[::1]", True), ("db.internal", False), ("", False)],
)
def test_an_address_is_told_from_a_name(host: str, literal: bool) -> None:
    assert literal_addresses.is_literal(host) == literal

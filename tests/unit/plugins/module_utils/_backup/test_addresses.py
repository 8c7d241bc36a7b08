"""Addresses of repositories: whom they lead to, and the login in them."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import addresses


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("/var/backups", None),
        ("sftp:keeper@store:/srv", ("store", 22)),
        ("sftp://keeper@store:2222//srv", ("store", 2222)),
        ("s3:https://s3.example.com/bucket", ("s3.example.com", 443)),
        ("s3:http://10.0.0.1:9000/bucket", ("10.0.0.1", 9000)),
        ("rest:https://store.example.com:8000/x", ("store.example.com", 8000)),
        ("b2:bucket:path", None),
    ],
)
def test_whom_restic_will_connect_to(address: str, server: tuple[str, int] | None) -> None:
    assert addresses.server_of(address) == server


@pytest.mark.parametrize(
    ("address", "without", "login"),
    [
        (
            "rest:https://keeper:p%40ss%2F:1@store:8000/x/",
            "rest:https://store:8000/x/",
            ("keeper", "p@ss/:1"),
        ),
        ("rest:https://keeper:p@ss@store/x", "rest:https://store/x", ("keeper", "p@ss")),
        ("rest:http://keeper@[2001:db8::1]:8000", "rest:http://[2001:db8::1]:8000", ("keeper", "")),
        ("rest:https://store/a@b", "rest:https://store/a@b", None),
        ("sftp:keeper@store:/srv", "sftp:keeper@store:/srv", None),
        ("/var/backups/a@b", "/var/backups/a@b", None),
    ],
)
def test_a_login_is_no_part_of_what_is_shown(
    address: str, without: str, login: tuple[str, str] | None
) -> None:
    found = dict(zip(addresses.REST_LOGIN, login, strict=True)) if login else {}
    assert addresses.split_login(address) == (without, found)

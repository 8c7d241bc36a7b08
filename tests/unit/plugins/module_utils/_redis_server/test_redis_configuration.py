"""What stands in Redis' files."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._redis_server.configuration import (
    cleaned,
    password_of,
    places,
    users_of,
)

OWN = "/etc/redis/mission-control.conf"
TLS = "port 0\ntls-port 6380\ntls-ca-cert-file /etc/ca.crt\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("plain", "redis://127.0.0.1:6379/0")]),
        ("port 7000\n", [("plain", "redis://127.0.0.1:7000/0")]),
        # Without TLS only where the file says so, and only while it names no port with it.
        (
            TLS,
            [("tls", "rediss://127.0.0.1:6380/0?ssl_check_hostname=false&ssl_ca_certs=/etc/ca.crt")],
        ),
        (
            TLS.replace("port 0", "port 6379", 1),
            [("tls", "rediss://127.0.0.1:6380/0?ssl_check_hostname=false&ssl_ca_certs=/etc/ca.crt")],
        ),
        (
            "port 6379\nunixsocket /run/redis/x.sock\n",
            [("socket", "unix:///run/redis/x.sock"), ("plain", "redis://127.0.0.1:6379/0")],
        ),
        ("port 0\n", []),
    ],
)
def test_where_the_server_is_asked(text: str, expected: list[tuple[str, str]]) -> None:
    assert [tuple(place) for place in places(text, 6379)] == expected


def test_who_may_enter_by_our_own_file() -> None:
    text = "# user nobody\nport 1\nrequirepass word\nuser monitor on >x ~* +info\n"
    assert (password_of(text), users_of(text)) == (
        "word",
        {"monitor": ["on", ">x", "~*", "+info"]},
    )
    assert (password_of(""), users_of("")) == ("", {})


def test_what_config_rewrite_leaves_is_taken_out_and_our_own_file_counts() -> None:
    text = f"""# user in a comment
port 6379
include {OWN}
user default on sanitize-payload #abc ~* &* +@all
USER evil on #def ~* &* +@all
maxmemory-policy allkeys-lru
\trequirepass "OLD"
aclfile /var/lib/redis/users
"us\\x65r" hidden on nopass
"""
    wanted = f"# user in a comment\nport 6379\nmaxmemory-policy allkeys-lru\ninclude {OWN}\n"
    removed = ["user default", "user evil", "requirepass", "aclfile", "a line with a disguised name"]
    assert cleaned(text, OWN) == (wanted, removed)
    assert cleaned(wanted, OWN) == (wanted, [])
    assert cleaned("port 1\n", "") == ("port 1\n", [])

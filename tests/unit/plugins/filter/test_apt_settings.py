"""What apt is told openly, and what not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.apt_settings import (
    apt_settings,
    apt_sources_failed,
)

PRIVATE = "http://operator:s3cret@proxy.example:3128/"


@pytest.mark.parametrize(
    ("given", "environment", "configuration"),
    [
        ({}, {}, ""),
        ({"http_proxy": "http://proxy.example:3128"}, {"http_proxy": "http://proxy.example:3128"}, ""),
        ({"http_proxy": PRIVATE}, {}, f'Acquire::http::Proxy "{PRIVATE}";\n'),
        (
            {"https_proxy": PRIVATE, "no_proxy": "localhost", "APT_CONFIG": "/etc/apt/own.conf"},
            {"no_proxy": "localhost"},
            f'#include "/etc/apt/own.conf";\nAcquire::https::Proxy "{PRIVATE}";\n',
        ),
        ({"APT_CONFIG": "/etc/apt/own.conf"}, {"APT_CONFIG": "/etc/apt/own.conf"}, ""),
        # Other programs' variables are not apt's business, whatever they hold; neither are empty ones.
        ({"UV_INDEX_A_PASSWORD": "s3cret", "PIP_INDEX_URL": PRIVATE, "http_proxy": ""}, {}, ""),
        ({"all_proxy": PRIVATE}, {}, ""),
    ],
)
def test_division(given: dict[str, Any], environment: dict[str, str], configuration: str) -> None:
    assert apt_settings(given) == {"environment": environment, "configuration": configuration}


def test_a_password_that_would_end_the_line() -> None:
    with pytest.raises(AnsibleFilterError, match="http_proxy has a quote") as raised:
        apt_settings({"http_proxy": 'http://operator:s3"cret@proxy.example'})
    assert "s3" not in str(raised.value)


UPDATE = {
    "stdout": "Hit:1 http://mirror.example/debian trixie InRelease\nErr:5 http://dead.invalid/ x InRelease",
    "stderr": """W: Failed to fetch http://me:s3cret@dead.invalid/debian/InRelease  Could not resolve it
W: Some index files failed to download. They have been ignored, or old ones used instead.
E: The repository 'https://gone.example/apt stable Release' does not have a Release file.""",
}


def test_sources_that_fail_are_named_without_their_logins() -> None:
    told = apt_sources_failed(UPDATE, "mc1").splitlines()
    assert told[0].startswith(
        "Warning: apt on mc1 cannot read http://dead.invalid/debian/InRelease: Could not resolve"
    )
    assert "https://gone.example/apt: does not have a Release file" in told[1]
    assert len(told) == 2 and "s3cret" not in str(told)
    assert apt_sources_failed({"stdout": "Hit:1 http://mirror.example/debian", "stderr": ""}) == ""
    with pytest.raises(AnsibleFilterError, match="expects the result"):
        apt_sources_failed("text")

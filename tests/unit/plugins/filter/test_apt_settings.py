"""What apt is told openly, and what not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.apt_settings import apt_settings

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

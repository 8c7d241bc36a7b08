"""What goes to a proxy, as our code judges it and as Python's own clients do."""

from __future__ import annotations

import urllib.request

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import proxies, proxy_exceptions
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.builds import (
    download_environment,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import configuration

PROXY = {"https_proxy": "http://user:hunter2@proxy:3128"}


@pytest.mark.parametrize(
    ("text", "host", "direct"),
    [
        ("", "localhost", False),
        ("localhost,127.0.0.1", "127.0.0.1", True),
        ("localhost, 127.0.0.1 ,::1", "::1", True),
        ("[::1]", "::1", True),
        (".example.com", "mc.example.com", True),
        ("*.example.com", "mc.example.com", True),
        ("example.com", "mc.example.com", True),
        ("example.com", "notexample.com", False),
        ("Example.COM", "mc.example.com", True),
        ("*", "anything", True),
        ("10.0.0.1", "10.0.0.12", False),
    ],
)
def test_who_is_asked_directly(text: str, host: str, direct: bool) -> None:
    assert proxies.bypasses(text, host) is direct
    if "[" not in text and "*." not in text and ":" not in host:
        # Python's own clients agree.
        assert bool(urllib.request.proxy_bypass_environment(host, {"no": text})) is direct


def test_a_process_that_asks_a_proxy_for_its_own_host_is_told() -> None:
    assert proxies.sent_to_proxy({}) == []
    assert proxies.sent_to_proxy({"no_proxy": ""}) == []
    assert proxies.sent_to_proxy(PROXY) == ["localhost", "127.0.0.1", "::1"]
    assert proxies.sent_to_proxy({**PROXY, "NO_PROXY": "localhost"}) == ["127.0.0.1", "::1"]
    assert proxies.sent_to_proxy({**PROXY, proxies.DIRECT: ",".join(proxies.LOCAL)}) == []
    assert proxies.sent_to_proxy({"ALL_PROXY": "socks5://p", "no_proxy": "*"}) == []


def test_the_verdict_names_the_variable_and_not_its_password() -> None:
    verdict = configuration.judge_proxy("mission-control-backend", PROXY)
    assert (verdict.state, verdict.kind) == ("fail", "local_proxy")
    assert "https_proxy is set, and no_proxy lacks localhost, 127.0.0.1, ::1" in verdict.summary
    assert "gateway" in verdict.cause and "/etc/environment" in verdict.cause
    assert "Deploy again" in verdict.remedy
    assert "hunter2" not in str(verdict)
    whole = {**PROXY, proxies.DIRECT: "localhost,127.0.0.1,::1"}
    assert configuration.judge_proxy("mission-control-backend", whole).state == "pass"


def test_downloads_by_a_proxy_keep_what_is_local_from_it() -> None:
    account = Account("someone", 1000, 1000, "/home/someone")
    told = download_environment(account, {**PROXY, "no_proxy": "mirror.example.com"})
    assert told["no_proxy"] == told["NO_PROXY"] == "mirror.example.com,localhost,127.0.0.1,::1"
    assert "no_proxy" not in download_environment(account, {"PIP_CERT": "/x"})


def test_hosts_of_addresses_come_once() -> None:
    asked = [
        "http://mc.example.com:3000",
        "https://mc.example.com:8000/x",
        "10.0.0.2",
        "",
        "http://[fd00::1]:80",
    ]
    assert proxy_exceptions.hosts_of(asked) == [*proxies.LOCAL, "mc.example.com", "10.0.0.2", "fd00::1"]

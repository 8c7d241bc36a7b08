"""Secrets among harmless options: no result, invocation or line in the journal shows one."""

from __future__ import annotations

import importlib
import json
import syslog
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._discreet import (
    DiscreetModule,
    without,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from controller import RELEASE, WITH_INVOCATION, received

PACKAGE = "ansible_collections.openclaw.mission_control.plugins.modules"
ENCODED, DECODED = "hunter2%2Fhunter2", "hunter2/hunter2"
TOKEN = "glpat-0123456789abcdefghij"
ENVIRONMENT = {
    "http_proxy": f"http://operator:{ENCODED}@127.0.0.1:9",
    "npm_config_auth_token": "tttttttttttt",
    "UV_CACHE_DIR": "/var/cache/uv",
    "UV_HTTP_TIMEOUT": 300,
    "PIN_TOKEN": "abc",  # too short to be told from ordinary words
}


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What AnsibleModule hands to the journal."""
    lines: list[str] = []
    monkeypatch.setattr("ansible.module_utils.basic.has_journal", False)
    if RELEASE >= (2, 22):
        monkeypatch.setattr("ansible.module_utils._internal._logging.has_journal", False)
    monkeypatch.setattr(syslog, "syslog", lambda _priority, text: lines.append(text))
    return lines


def hidden(text: str) -> bool:
    return not any(secret in text for secret in (ENCODED, DECODED, "tttttttttttt", TOKEN))


def result_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    output = received(capsys.readouterr().out)
    assert hidden(output)
    result: dict[str, Any] = json.loads(output)
    return result


def test_just_the_secrets_are_hidden(capsys: pytest.CaptureFixture[str], journal: list[str]) -> None:
    options: dict[str, Any] = {
        **WITH_INVOCATION,
        "environment": ENVIRONMENT,
        "source": f"https://{TOKEN}@h.example/p.git",
    }
    with patch_module_args(options), pytest.raises(SystemExit):
        DiscreetModule(argument_spec={"environment": {"type": "dict"}, "source": {"type": "str"}}).exit_json(
            msg=f"{DECODED} is in /var/cache/uv", user="operator", changed=False
        )
    result = result_of(capsys)
    assert (result["msg"], result["user"]) == ("******** is in /var/cache/uv", "operator")
    shown = result["invocation"]["module_args"]
    assert shown["environment"]["http_proxy"] == "http://operator:********@127.0.0.1:9"
    assert shown["environment"]["UV_CACHE_DIR"] == "/var/cache/uv"
    assert shown["environment"]["UV_HTTP_TIMEOUT"] == 300
    assert shown["environment"]["PIN_TOKEN"] == "abc"
    assert shown["source"] == "https://********@h.example/p.git"
    assert journal and "/var/cache/uv" in journal[0] and all(hidden(line) for line in journal)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("release", {"state": "pruned", "root": "/nonexistent", "download_environment": ENVIRONMENT}),
        ("source", {"root": "/nonexistent", "environment": ENVIRONMENT, "source": "https://h.example/p.git"}),
        ("source", {"root": "/nonexistent", "source": f"https://u:{ENCODED}@h.example/p.git"}),
        ("source", {"root": "/nonexistent", "source": f"https://{TOKEN}@h.example/p.git"}),
        (
            "deployment",
            {
                "state": "ended",
                "result": "deployed",
                "root": "/nonexistent",
                "source": f"https://u:{ENCODED}@h.example/p.git",
            },
        ),
        ("gateway_install", {"state": "absent", "root": "/nonexistent", "environment": ENVIRONMENT}),
        (
            "bundle_build",
            {"work": "/x", "packages": [], "user": "none", "download_environment": ENVIRONMENT},
        ),
    ],
)
@pytest.mark.parametrize("bad", [{}, {"no_such_option": "x"}])
def test_no_module_that_downloads_shows_one(
    capsys: pytest.CaptureFixture[str],
    journal: list[str],
    name: str,
    options: dict[str, Any],
    bad: dict[str, str],
) -> None:
    module = importlib.import_module(f"{PACKAGE}.{name}")
    given = {"user": find_account().name, **options, **bad, **WITH_INVOCATION}
    with patch_module_args(given), pytest.raises(SystemExit):
        module.main()
    result = result_of(capsys)
    assert "********" in str(result["invocation"]["module_args"])
    assert bool(journal) is not bool(bad) and all(hidden(line) for line in journal)


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    """All that a module writes."""
    spec = {"environment": {"type": "dict"}, "password": {"type": "str", "no_log": True}}
    with patch_module_args({**options, **WITH_INVOCATION}), pytest.raises(SystemExit):
        DiscreetModule(argument_spec=spec).exit_json(msg=f"{DECODED}, {TOKEN}", changed=False)
    return capsys.readouterr().out


@pytest.mark.skipif(RELEASE < (2, 22), reason="ansible-core 2.22 brings the list of secrets beside a result")
def test_the_controller_is_told_what_is_secret(
    capsys: pytest.CaptureFixture[str], journal: list[str]
) -> None:
    # This process has told of the others by now.
    environment = {"https_proxy": "http://operator:never%2Fseen@127.0.0.1:9", "PIN_TOKEN": "abc"}
    told = json.loads(run(capsys, environment=environment))
    assert set(told.pop("_ansible_new_secrets")) == {"never%2Fseen", "never/seen"}
    assert "never" not in json.dumps(told) and journal and all("never" not in line for line in journal)


def test_a_result_that_becomes_a_file_on_the_host_holds_none(
    capsys: pytest.CaptureFixture[str], journal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of a task with async is in a file until somebody fetches it."""
    monkeypatch.setenv("ANSIBLE_ASYNC_DIR", "~/.ansible_async")
    assert hidden(run(capsys, environment=ENVIRONMENT, password=TOKEN))
    assert journal and all(hidden(line) for line in journal)


def test_values_are_taken_out_of_plain_data() -> None:
    data = {"pw": "pw", "n": [12345, 1.5, True, None, ("a pw-long b", "pw")], "other": "pwpw"}
    assert without(data, {"pw", "pw-long", "12345", ""}) == {
        "pw": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER",
        "n": [
            "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER",
            1.5,
            True,
            None,
            ["a ******** b", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"],
        ],
        "other": "****************",
    }
    assert data["pw"] == "pw"  # it is as it was

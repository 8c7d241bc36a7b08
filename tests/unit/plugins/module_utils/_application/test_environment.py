"""The environment file: one text that systemd and the product read alike."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils import _redaction
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import environment
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.environment_file import (
    parse_environment_file,
    secret_names,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (None, ""),
        (15.0, "15.0"),
        (1048576, "1048576"),
        (["http://a:3000", "http://b"], "http://a:3000,http://b"),
        ("2026.02.9", "2026.02.9"),
    ],
)
def test_values_become_what_the_product_reads(value: Any, text: str) -> None:
    assert environment.texts({"NAME": value}) == {"NAME": text}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("log_level", "INFO", "not a valid name"),
        ("A B", "x", "not a valid name"),
        ("A", "two\nlines", "line break"),
        ("A", "back\\slash", "backslash"),
        ("A", "${HOME}", r"\$\{"),
        ("A", "'\"", "both kinds of quotes"),
        ("DATABASE_URL", "postgresql://u:p%40x@h/d", "holds a %"),
    ],
)
def test_what_would_be_misread_is_refused_by_name(name: str, value: str, told: str) -> None:
    with pytest.raises(DeploymentError, match=told) as error:
        environment.texts({name: value})
    assert name in error.value.message
    assert value not in error.value.message


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z0-9_]{0,10}", fullmatch=True),
        st.text(
            st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="\\\x7f\x85\u2028\u2029")
        ),
    )
)
def test_systemd_and_we_read_what_was_written(values: dict[str, str]) -> None:
    try:
        texts = environment.texts(values)
    except DeploymentError:
        return
    text = environment.render(texts)
    assert environment.parse(text) == texts
    assert parse_environment_file(text) == texts


def test_secrets_are_found_by_name_and_inside_urls() -> None:
    values = {"LOCAL_AUTH_TOKEN": "tttttttt", "DATABASE_URL": "postgresql://u:pppp@h/d", "LOG_LEVEL": "INFO"}
    assert _redaction.secrets(values) == ["tttttttt", "pppp"]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("http_proxy", "http://operator:pppp@h:9", ["pppp"]),
        ("http_proxy", "HTTP://operator:pp%40p%2F@h:9/", ["pp%40p%2F", "pp@p/"]),
        ("HTTPS_PROXY", "operator:pppp@h:9", ["pppp"]),
        ("https_proxy", "http://operator:pp@pp@h:9/a@b", ["pp@pp"]),
        ("https_proxy", "http://operator:pp/pp@h:9", ["pp/pp"]),
        ("http_proxy", "http://h:9/x@y:z", []),
        ("PIP_EXTRA_INDEX_URL", "https://a:pppp@h/simple https://:qqqq@i/simple", ["pppp", "qqqq"]),
        ("GOPROXY", "https://proxy.example,https://a:pppp@h,direct", ["pppp"]),
        ("source", "https://glpat-0123456789abcdefghij@h/p.git", ["glpat-0123456789abcdefghij"]),
        ("source", "https://glpat-0123456789abcdefghij:pppp@h/p.git", ["pppp", "glpat-0123456789abcdefghij"]),
        ("source", "https://deploy@h/p.git", []),
        ("source", "git@h:p.git", []),
        ("npm_config_auth_token", "tttt", ["tttt"]),
        ("UV_CACHE_DIR", "/var/cache/uv", []),
        ("UV_HTTP_TIMEOUT", 300, []),
        ("NODE_AUTH_TOKEN", None, []),
    ],
)
def test_just_the_secrets_of_an_environment_are_found(name: str, value: object, found: list[str]) -> None:
    assert _redaction.secrets({name: value}) == found


def test_a_reader_sees_that_a_secret_changed_but_not_to_what() -> None:
    before = environment.render({"LOCAL_AUTH_TOKEN": "old-old-old", "LOG_LEVEL": "INFO"})
    after = environment.render({"LOCAL_AUTH_TOKEN": "new-new-new", "LOG_LEVEL": "DEBUG"})
    shown = environment.masked(after, before)
    assert shown == "LOCAL_AUTH_TOKEN=******** (changed)\nLOG_LEVEL=DEBUG\n"
    assert "(changed)" not in environment.masked(after, after)
    assert "pass" not in environment.masked("DATABASE_URL=postgresql://u:passpass@h/d\n")


def test_what_an_operator_calls_secret_is_noted_in_the_file_and_hidden_from_then_on() -> None:
    values = {"LOCAL_AUTH_TOKEN": "tttttttt", "TENANT_PIN": "4711-0815", "OTHER": "x"}
    text = environment.render(values, ["LOCAL_AUTH_TOKEN", "TENANT_PIN", "NOT_SET"])
    assert secret_names(text) == ("TENANT_PIN",)
    assert environment.secrets(text) == ["tttttttt", "4711-0815"]
    assert environment.parse(text) == parse_environment_file(text) == values
    assert environment.masked(text) == "LOCAL_AUTH_TOKEN=********\nTENANT_PIN=********\nOTHER=x\n"
    # Also in what was written before that.
    assert "4711" not in environment.masked(environment.render(values), secret=secret_names(text))
    assert environment.render(values, ["LOCAL_AUTH_TOKEN"]) == environment.render(values)

"""No form of a secret survives, and ordinary words do."""

from __future__ import annotations

import base64
import json
import string
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import (
    MASK,
    Redactor,
    secret_name,
)
from hypothesis import assume, given
from hypothesis import strategies as st

SECRET = 'p+ss/w"rd with=ünï&code-0123456789'
secrets = st.text(string.ascii_letters + string.digits + '+/="\\&? ü', min_size=12, max_size=60)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        base64.b64encode(b"user:" + SECRET.encode()).decode(),
        base64.b64encode(b"x" + SECRET.encode() + b"yy").decode(),
    ],
)
def test_every_form_goes(form: str) -> None:
    redactor = Redactor([SECRET])
    text = redactor.text(f"before {form} after")
    assert MASK in text and text.startswith("before ") and text.endswith(" after")
    assert not redactor.contains(text)


@given(secrets, st.text("abc :", max_size=10), st.text("abc :", max_size=10))
def test_no_form_of_any_secret_survives(secret: str, before: str, after: str) -> None:
    assume(secret.strip() and secret not in before + after and not set(secret) <= set("abc :"))
    redactor = Redactor([secret])
    for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
        assert secret not in redactor.text(before + form + after)
        assert form not in redactor.text(before + form + after)


@given(secrets, st.binary(max_size=4), st.binary(max_size=4))
def test_base64_at_any_offset(secret: str, before: bytes, after: bytes) -> None:
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    assert Redactor([secret]).text(encoded) != encoded


def test_short_secrets_are_whole_words_only() -> None:
    redactor = Redactor(["ready", "x", "abc"])
    assert redactor.text("ready already x abc") == f"{MASK} already x abc"


def test_data_of_any_nesting_and_keys_that_say_secret() -> None:
    redactor = Redactor([SECRET])
    data = {
        "items": [{"name": "lab", "token": "unknown-value", "url": f"http://u:{SECRET}@h/"}],
        "list": (SECRET, 5, None, True),
        f"key {SECRET}": SECRET.encode(),
        "tokens_used": 17,
        "api_key": "",
        "object": object,
    }
    text = json.dumps(redactor.data(data))
    assert "unknown-value" not in text
    assert not redactor.contains(text)
    assert '"tokens_used": 17' in text and '"api_key": ""' in text


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("postgresql+psycopg://user:hunter22@db:5432/x", "hunter22"),
        ("redis://:hunter22@db", "hunter22"),
        ("redis://user:an@unquoted@db/0", "unquoted"),
        ("GET /status?gateway_token=hunter22&board_id=5", "hunter22"),
    ],
)
def test_what_is_plainly_a_secret_goes_unnamed(text: str, gone: str) -> None:
    assert gone not in Redactor().text(text)
    assert MASK in Redactor().text(text)


@pytest.mark.parametrize("text", ["http://host:8000/path?range=24h", "the token was not accepted", "a:b@c"])
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor().text(text) == text


def test_secrets_can_be_learnt_later() -> None:
    redactor = Redactor([None, ""])
    assert redactor.text("later-learnt-secret") == "later-learnt-secret"
    redactor.add("later-learnt-secret", None)
    assert redactor.text("later-learnt-secret") == MASK


@pytest.mark.parametrize(
    ("name", "secret"),
    [("LOCAL_AUTH_TOKEN", True), ("password", True), ("DB_PASSWORD", True), ("CLERK_SECRET_KEY", True),
     ("totalTokensFresh", False), ("BASE_URL", False), ("tokenizer", False)],
)  # fmt: skip
def test_names_that_say_secret(name: str, secret: bool) -> None:
    assert secret_name(name) is secret

"""No form of a secret survives, and ordinary words do."""

from __future__ import annotations

import base64
import json
import string
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import (
    MASK,
    Redactor,
    forms,
    is_secret,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import (
    secrets as secrets_of,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._shown_settings import (
    masked,
    shown,
    without_settings,
)
from hypothesis import assume, given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[4]
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
    assert not any(form in text for form in forms(SECRET))


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
    assert not any(form in text for form in forms(SECRET))
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


SECRET_NAMES = """
    LOCAL_AUTH_TOKEN password DB_PASSWORD CLERK_SECRET_KEY ENCRYPTION_KEY KEY_PASSPHRASE AUTH_COOKIE
    GITHUBTOKEN DBPASSWORD PRIVATE_KEY SENTRY_DSN SENTRY_DSN_BACKEND DB_PASS DBPASS DB_PWD
    npm_config__auth apiKey
    API_KEYS privateKeyPem clientSecret agent_token_hash AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID
    SSHKEY SESSION_KEY KEY JWT PASSWORD_SALT GITHUB_PAT CONNECTION_STRING X-Api-Key API_TOKEN_V2
"""
HARMLESS_NAMES = """
    totalTokensFresh BASE_URL tokenizer TOKENIZER MAX_TOKENS tokens KEYBOARD KEYSPACE MONKEY
    PUBLIC_KEY publicKey NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY clerk_publishable_key NEXT_PUBLIC_TOKEN
    AUTH_MODE TOKEN_URL COOKIE_DOMAIN ACCESS_TOKEN_EXPIRE_MINUTES SSL_KEY_FILE PRIVATE_NETWORK PWD
    OLDPWD BYPASS COMPASS AUTHOR key session_key sessionKey field_key PRIMARY_KEY auth pass
    secret_settings is_private access-control-allow-methods
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_names_that_say_secret(name: str) -> None:
    assert is_secret(name)
    value = "ordinary words"
    assert secrets_of({name: value}) == [value]
    assert shown(name, value) == MASK
    assert Redactor().data({name: value}) == {name: MASK}
    assert "words" not in without_settings(f"Environment={name}={value}\n")
    assert MASK in Redactor().text(f"set {name}=ordinary now")


@pytest.mark.parametrize("name", HARMLESS_NAMES.split())
def test_names_that_do_not(name: str) -> None:
    assert not is_secret(name)
    assert secrets_of({name: "ordinary words"}) == []
    assert shown(name, "ordinary words") == "ordinary words"
    assert Redactor().data({name: "ordinary"}) == {name: "ordinary"}
    assert Redactor().text(f"set {name}=ordinary now") == f"set {name}=ordinary now"


KEY_MATERIAL = {
    "PEM": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA\n-----END EC PRIVATE KEY-----",
    "PEM in one line": "-----BEGIN PRIVATE KEY-----\\nMHcCAQEEIA\\n-----END PRIVATE KEY-----",
    "PEM that is cut off": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r",
    "PEM in base64": base64.b64encode(b"-----BEGIN RSA PRIVATE KEY-----\nMHcCAQEEIAMHcCAQEEIA").decode(),
    "key's body": "MC4CAQAwBQYDK2VwBCIEIIq0VFCTnVdZZ1sKkZ0sWqR9a8XG",
    "OpenAI": "sk-proj-abcdefghijklmnop",
    "Stripe": "sk_live_abcdefghijklmnop",
    "GitHub": "ghp_abcdefghijklmnopqrstuv",
    "GitLab": "glpat-abcdefghijklmnopqrst",
    "Slack": "xoxb-12345678-abcdefgh",
    "AWS": "AKIAABCDEFGHIJKLMNOP",
    "JSON web token": "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
}


@pytest.mark.parametrize("value", KEY_MATERIAL.values(), ids=KEY_MATERIAL)
def test_key_material_goes_whatever_its_name(value: str) -> None:
    assert value in secrets_of({"GREETING": value})
    assert shown("GREETING", value) == MASK
    assert Redactor().text(f"before {value}") == f"before {MASK}"


def test_a_long_random_value_is_key_material_unless_its_name_says_what_it_tells_apart() -> None:
    value = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    mixed = "q7Zk2Vw9XcT4bN8mLpR3sYd6FgH1jKqW0eUzAiB5"
    for name in ("WEBHOOK_SIGNING", "FERNET"):
        assert secrets_of({name: value}) == [value]
        assert shown(name, mixed) == MASK
    for name in ("BUILD_COMMIT", "imageDigest", "PUBLIC_KEY", "NEXT_PUBLIC_SENTRY"):
        assert shown(name, value) == value
    # In texts nobody says what it is, and most are revisions, fingerprints and identifiers.
    assert Redactor().text(f"release {value}") == f"release {value}"


@pytest.mark.parametrize(
    "value",
    [
        "/home/mission-control/mission-control/shared/identity/device.json",
        "strict-origin-when-cross-origin-and-more",
        "550e8400-e29b-41d4-a716-446655440000",
        "Claude-3-5-Sonnet-20241022-Long-Context",
        "task-0123456789abcdefgh",
        "pk_test_Y2xlcmsuZXhhbXBsZS5jb20kY2xlcms0",
        "http://[2001:db8::1]:8000,http://missioncontrol.example:3000",
    ],
)
def test_long_ordinary_values_stay(value: str) -> None:
    assert shown("SOMETHING", value) == value


def test_what_an_operator_names_is_secret() -> None:
    values = {"TENANT_PIN": "4711-0815", "OTHER": "for 4711-0815"}
    assert masked(values) == values
    assert masked(values, ["TENANT_PIN"]) == {"TENANT_PIN": MASK, "OTHER": f"for {MASK}"}
    assert secrets_of(values, ["TENANT_PIN"]) == ["4711-0815"]


def test_a_flag_is_no_secret() -> None:
    assert secrets_of({"COOKIE_TOKEN": "true"}) == []
    assert Redactor().data({"access-control-allow-credentials": "true"}) == {
        "access-control-allow-credentials": "true"
    }


def test_each_of_several_secrets_in_one_setting_goes() -> None:
    values = {"API_KEYS": "first-of-the-keys,second-of-the-keys"}
    assert Redactor(secrets_of(values)).text("got second-of-the-keys") == f"got {MASK}"


@pytest.mark.parametrize(
    ("text", "shown_text"),
    [
        ('{"api_key": "a b", "token": "", "n": 5}', f'{{"api_key": "{MASK}", "token": "", "n": 5}}'),
        ("run --api-key abc --verbose yes", f"run --api-key {MASK} --verbose yes"),
        ("host=db password='a b' dbname=x", f"host=db password='{MASK}' dbname=x"),
        ("Environment=DB_PASS=abc TZ=UTC", f"Environment=DB_PASS={MASK} TZ=UTC"),
        ("session_key=agent:main:main pass=5", "session_key=agent:main:main pass=5"),
        ("https://ghp0123456789abcdefghijklmn@h/x", f"https://{MASK}@h/x"),
    ],
)
def test_in_texts_the_name_decides(text: str, shown_text: str) -> None:
    assert Redactor().text(text) == shown_text
    assert Redactor().text(shown_text) == shown_text


def test_in_a_command_the_word_after_an_option_belongs_to_it() -> None:
    command = ["program", "--api-key", "abc", "--verbose", "yes", "--token=abc"]
    assert Redactor().data(command) == ["program", "--api-key", MASK, "--verbose", "yes", f"--token={MASK}"]


def test_what_a_shell_is_to_read_from_a_file_is_no_secret() -> None:
    remedy = "REDISCLI_AUTH=$(cat /var/lib/mission-control/redis-password) redis-cli replicaof no one"
    assert Redactor([]).text(remedy) == remedy
    for other in ("REDISCLI_AUTH=$(cat", "REDISCLI_AUTH=$(word)word", "REDISCLI_AUTH=x"):
        assert Redactor([]).text(other).startswith("REDISCLI_AUTH=***")


# What patterns could begin with, or run over, again and again.
REPEATED = [
    *(
        "a",
        "a-",
        "a.",
        "-",
        "_",
        " ",
        "\n",
        "a=",
        "://:a/",
        "a://:b/",
        "a://:",
        "a://a:",
        "a://a@",
        "a://:a@b",
    ),
    *("A_TOKEN=a ", "token='", "token=\"'", '"token": "', "--token ", "bearer ", "authorization: basic "),
    *("-----BEGIN A ", "-----BEGIN PRIVATE KEY-----", "-----END A ", "eyJaaaaaaaa.", "SG.aaaaaaaaaaaaaaaaa."),
    *("https://aaaaaaaaaaaaaaaaaaaaaaa:", "aaaaaaaaaaaaa,", 'token="\\"', '"a":'),
]
LONG_TEXTS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.openclaw.mission_control.plugins.module_utils import _redaction
for piece in json.load(sys.stdin):
    text = (piece * 100_000)[:100_000]
    found = _redaction.secrets({"A": text, "A_TOKEN": text, f"{text}_TOKEN": "x"})
    redactor = _redaction.Redactor([*found, *(f"{number:020}{piece}" for number in range(3000))])
    redactor.text(text)
    redactor.data({"argv": text.split(" ")[:2000]})
"""


def test_no_text_keeps_it_busy_for_longer_than_the_text_is_long() -> None:
    """Root's own process looks at what the application's user wrote. Hours before, for some of these."""
    subprocess.run(
        [sys.executable, "-c", LONG_TEXTS, str(ROOT / ".cache/collections")],
        input=json.dumps(REPEATED),
        text=True,
        check=True,
        timeout=240,
    )


def test_of_more_secrets_than_any_deployment_has_the_first_are_hidden() -> None:
    values = [f"{number:020}" for number in range(5000)]
    redactor = Redactor(values)
    assert redactor.text(values[0]) == MASK and redactor.text(values[-1]) == values[-1]

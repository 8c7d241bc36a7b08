# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import client, errors
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import identity as device
from gateway_server import Gateway, make_certificate, make_identity

TOKEN = "the-token-of-the-gateway"


@pytest.fixture(name="identity")
def _identity(tmp_path: Path) -> device.Identity:
    make_identity(tmp_path / "device.json")
    return device.read_identity(tmp_path / "device.json")


def connect(gateway: Gateway, identity: device.Identity, **options: Any) -> client.GatewayClient:
    made = client.GatewayClient(gateway.url, identity=identity, **{"token": TOKEN, "timeout": 5, **options})
    made.connect()
    return made


def test_it_connects_as_the_backend_does(identity: device.Identity) -> None:
    with Gateway() as gateway:
        connection = connect(gateway, identity)
        connection.close()
    assert (connection.version, connection.protocol) == ("2026.4.2", 3)
    method, parameters = gateway.seen[0]
    assert method == "connect"
    assert parameters["client"] == {
        "id": "gateway-client",
        "version": "1.0.0",
        "platform": "linux",
        "mode": "backend",
    }
    assert parameters["scopes"] == [
        "operator.read",
        "operator.admin",
        "operator.approvals",
        "operator.pairing",
    ]
    assert parameters["device"]["id"] == identity.device_id
    assert (parameters["minProtocol"], parameters["maxProtocol"]) == (3, 3)


def test_answers_come_through_between_events_and_pings_whatever_their_size(
    identity: device.Identity,
) -> None:
    sizes = (1, 200, 70_000)
    calls = {"echo": lambda parameters: {"text": "x" * parameters["size"]}}
    with Gateway(calls=calls) as gateway:
        connection = connect(gateway, identity)
        answers = [connection.call("echo", {"size": size, "padding": "y" * size}) for size in sizes]
        connection.close()
    assert [len(answer["text"]) for answer in answers] == list(sizes)


def test_a_method_that_is_refused_says_so_and_the_connection_lives_on(identity: device.Identity) -> None:
    with Gateway(calls={"health": lambda _parameters: {"ok": True}}) as gateway:
        connection = connect(gateway, identity)
        with pytest.raises(errors.GatewayError) as caught:
            connection.call("no.such")
        assert (caught.value.kind, caught.value.message) == ("rejected", "unknown method: no.such")
        assert connection.call("health") == {"ok": True}
        connection.close()


@pytest.mark.parametrize(
    ("options", "kind", "remedy"),
    [
        ({"token": "another-token-altogether"}, "unauthorized", "OPENCLAW_GATEWAY_TOKEN"),
        ({"protocol": 4}, "protocol_mismatch", "2026.2.9 to 2026.5.7"),
        ({"paired": False}, "pairing_required", "openclaw devices approve"),
        ({"starting": 1}, "starting", "few seconds"),
        ({"raw": b"HTTP/1.1 200 OK\r\n\r\n<html>"}, "not_a_gateway", "listens on this address"),
        ({"raw": b""}, "closed", "journal"),
    ],
)
def test_refusals_have_a_name_and_a_remedy(
    identity: device.Identity, options: dict[str, Any], kind: str, remedy: str
) -> None:
    with Gateway(**options) as gateway, pytest.raises(errors.GatewayError) as caught:
        connect(gateway, identity)
    assert caught.value.kind == kind
    assert remedy in caught.value.remedy
    assert TOKEN not in caught.value.message + caught.value.remedy


def test_a_waiting_request_is_named(identity: device.Identity) -> None:
    with Gateway(paired=False) as gateway, pytest.raises(errors.GatewayError) as caught:
        connect(gateway, identity)
    assert caught.value.request_id == "request-1"


def test_nobody_there(identity: device.Identity) -> None:
    with Gateway() as gateway:
        url = gateway.url
    with pytest.raises(errors.GatewayError) as caught:
        client.GatewayClient(url, token=TOKEN, identity=identity, timeout=2).connect()
    assert caught.value.kind == "unreachable" and "gateway_bind" in caught.value.remedy


def test_a_gateway_that_says_nothing_is_given_up(identity: device.Identity) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(errors.GatewayError) as caught:
            client.GatewayClient(url, token=TOKEN, identity=identity, timeout=0.3).connect()
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "127.0.0.1:18789", "ws://"])
def test_an_address_that_is_none(identity: device.Identity, url: str) -> None:
    with pytest.raises(errors.GatewayError) as caught:
        client.GatewayClient(url, token=TOKEN, identity=identity).connect()
    assert caught.value.kind == "address"


def test_plain_where_tls_is_expected(identity: device.Identity) -> None:
    with (
        Gateway(raw=b"HTTP/1.1 400 Bad Request\r\n\r\n") as gateway,
        pytest.raises(errors.GatewayError) as caught,
    ):
        client.GatewayClient(
            gateway.url.replace("ws:", "wss:"), token=TOKEN, identity=identity, timeout=0.5
        ).connect()
    assert caught.value.kind in ("tls", "unreachable")


def test_an_authority_of_ones_own(identity: device.Identity, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "gateway.pem")
    with Gateway(certificate=certificate) as gateway:
        connect(gateway, identity, ca_path=str(certificate)).close()
        connect(gateway, identity, verify=False).close()
        for options in ({}, {"ca_path": str(make_certificate(tmp_path / "another.pem"))}):
            with pytest.raises(errors.GatewayError) as caught:
                connect(gateway, identity, **options)
            assert caught.value.kind == "tls"
            assert "CERTIFICATE_VERIFY_FAILED: self-signed certificate" in caught.value.message
        for name in ("missing.pem", "device.json"):
            with pytest.raises(errors.GatewayError) as caught:
                connect(gateway, identity, ca_path=str(tmp_path / name))
            assert caught.value.kind == "tls" and name in caught.value.message
            assert "mission_control_gateway_ca_path" in caught.value.remedy
    assert len(gateway.seen) == 2, "nobody else was told the token"


def test_an_identity_hides_its_private_key(identity: device.Identity) -> None:
    assert "PRIVATE" not in repr(identity) and identity.device_id in repr(identity)


def test_the_device_id_is_the_digest_of_the_key(identity: device.Identity) -> None:
    assert device.device_id_of(identity.public_key) == identity.device_id
    assert device.device_id_of("AAAA") != identity.device_id


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        json.dumps(
            {
                "publicKeyPem": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                "privateKeyPem": "x",
            }
        ),
        json.dumps({"publicKeyPem": "no key", "privateKeyPem": "x"}),
    ],
)
def test_a_broken_identity_is_named(tmp_path: Path, document: str) -> None:
    path = tmp_path / "device.json"
    path.write_text(document)
    with pytest.raises(errors.GatewayError) as caught:
        device.read_identity(path)
    assert caught.value.kind == "identity"


def test_no_identity_names_the_path_and_what_brings_one(tmp_path: Path) -> None:
    with pytest.raises(errors.GatewayError) as caught:
        device.read_identity(tmp_path / "missing.json")
    assert "missing.json" in caught.value.message and "backend" in caught.value.remedy


def test_a_key_of_another_kind_is_refused() -> None:
    private = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "x25519"], capture_output=True, text=True, check=True
    ).stdout
    public = subprocess.run(
        ["openssl", "pkey", "-pubout"], input=private, capture_output=True, text=True, check=True
    ).stdout
    with pytest.raises(errors.GatewayError):
        device.public_key_bytes(public)


def test_the_signature_is_that_of_the_text(identity: device.Identity) -> None:
    from gateway_server import verify

    signature = identity.sign("a text")
    assert len(base64.urlsafe_b64decode(signature + "==")) == 64
    assert verify(identity.public_key, signature, "a text")
    assert not verify(identity.public_key, signature, "another text")

"""The authority and a server's certificate, made by the role itself on this machine; openssl judges them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("openssl") is None, reason="gives files to root, and needs openssl"
)
STEPS: list[dict[str, Any]] = [
    {},
    # Nothing has changed.
    {},
    # It is valid for fewer days than this.
    {"authority_renewal_days": 900},
    # The server is known by another address.
    {"authority_certificate_addresses": ["10.0.0.6", "db.internal"]},
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What there was after each step, in directories of their numbers."""
    top = tmp_path_factory.mktemp("authority")
    tasks: list[dict[str, Any]] = []
    for number, variables in enumerate([*STEPS, {"again": True}]):
        if variables.pop("again", False):
            # Somebody has removed the authority: the next one is another.
            gone = {"path": str(top / "authority"), "state": "absent"}
            tasks.append({"ansible.builtin.file": gone})
        tasks.append(
            {
                "ansible.builtin.include_role": {
                    "name": "openclaw.mission_control.authority",
                    "tasks_from": "main",
                }
            }
        )
        tasks.append(
            {
                "ansible.builtin.include_role": {
                    "name": "openclaw.mission_control.authority",
                    "tasks_from": "certificate",
                },
                "vars": variables,
            }
        )
        copy = f"mkdir {top}/{number}; cp -a {top}/tls {top}/authority {top}/trusted.crt {top}/{number}"
        tasks.append({"ansible.builtin.shell": copy, "changed_when": False})
        told = {"msg": f"step {number} issued={{{{ authority_issued }}}}"}
        tasks.append({"ansible.builtin.debug": told})
    given = {
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": sys.executable,
        "authority_directory": str(top / "authority"),
        "authority_trust_file": str(top / "trusted.crt"),
        "authority_certificate_directory": str(top / "tls"),
        "authority_certificate_name": "postgresql",
        "authority_certificate_addresses": ["10.0.0.5", "db.internal"],
    }
    play = {"hosts": "localhost", "gather_facts": False, "vars": given, "tasks": tasks}
    (top / "play.yml").write_text(yaml.safe_dump([play]))
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(top / "play.yml")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    (top / "output").write_text(done.stdout)
    return top


def openssl(*words: object) -> str:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def of(directory: Path, *what: str) -> str:
    return openssl("x509", "-in", directory / "tls/postgresql.crt", "-noout", *what)


def test_the_certificate_is_the_authoritys_and_names_the_server(kept: Path) -> None:
    first = kept / "0"
    authority = ("-CAfile", first / "trusted.crt", "-purpose", "sslserver", first / "tls/postgresql.crt")
    for name in (
        ("-verify_ip", "10.0.0.5"),
        ("-verify_hostname", "db.internal"),
        ("-verify_ip", "127.0.0.1"),
    ):
        assert openssl("verify", *name, *authority).endswith(": OK\n")
    assert "IP address mismatch" in openssl("verify", "-verify_ip", "10.0.0.6", *authority)
    assert "CA:TRUE, pathlen:0" in openssl("x509", "-in", first / "trusted.crt", "-noout", "-text")
    assert "CA:FALSE" in of(first, "-text")
    # A server of it is no authority itself.
    assert "OK" not in openssl("verify", "-CAfile", first / "tls/postgresql.crt", first / "trusted.crt")


def test_keys_are_closed_and_only_the_certificate_is_for_all(kept: Path) -> None:
    modes = {
        str(path.relative_to(kept / "0")): oct(path.stat().st_mode & 0o777)
        for path in (kept / "0").rglob("*")
    }
    assert modes == {
        "authority": "0o700",
        "authority/authority.key": "0o600",
        "authority/authority.crt": "0o644",
        "tls": "0o755",
        "tls/postgresql.key": "0o640",
        "tls/postgresql.crt": "0o644",
        "trusted.crt": "0o644",
    }


def test_it_is_issued_again_only_where_there_is_a_reason(kept: Path) -> None:
    issued = re.findall(r"step \d issued=(\w+)", (kept / "output").read_text())
    assert issued == ["True", "False", "True", "True", "True"]
    serials = [of(kept / str(number), "-serial") for number in range(5)]
    assert serials[0] == serials[1] and len(set(serials)) == 4
    keys = [(kept / str(number) / "tls/postgresql.key").read_text() for number in range(5)]
    assert len(set(keys)) == 1, "what is renewed keeps its key"
    assert "10.0.0.6" in of(kept / "3", "-ext", "subjectAltName")


def test_a_new_authority_issues_everything_anew(kept: Path) -> None:
    last = kept / "4"
    assert (last / "trusted.crt").read_text() != (kept / "3/trusted.crt").read_text()
    told = openssl("verify", "-CAfile", last / "trusted.crt", last / "tls/postgresql.crt")
    assert told.endswith(": OK\n")
    assert "OK" not in openssl("verify", "-CAfile", kept / "3/trusted.crt", last / "tls/postgresql.crt")


REQUESTS: dict[str, dict[str, Any]] = {
    "as it shall be": {},
    "another name": {"common_name": "Mission Control redis"},
    "a name and an organization": {"organization_name": "Somebody"},
    "a further extension": {"ocsp_must_staple": True},
    "a list of constraints": {"name_constraints_permitted": ["DNS:example.com"]},
    "a further address": {"subject_alt_name": ["DNS:db.internal", "DNS:other.internal"]},
    "a further use": {"extended_key_usage": ["serverAuth", "clientAuth"]},
    "an authority": {"basic_constraints": ["CA:TRUE"]},
}


def test_nothing_but_what_is_known_is_signed(tmp_path: Path) -> None:
    """The role's own conditions, over requests that somebody else has written."""
    role = Path(__file__).resolve().parents[3] / "roles/authority"
    (block,) = [task for task in yaml.safe_load((role / "tasks/issue.yml").read_text()) if "block" in task]
    by_name = {task["name"]: task for task in block["block"]}
    usual = by_name["Ask for a certificate"]["community.crypto.openssl_csr_pipe"]
    conditions = by_name["Refuse anything else"]["ansible.builtin.assert"]["that"]
    key = {"path": str(tmp_path / "key"), "type": "ECC", "curve": "secp256r1"}
    tasks: list[dict[str, Any]] = [
        {"community.crypto.openssl_privatekey": key},
        {
            "community.crypto.openssl_privatekey": {
                "path": str(tmp_path / "other"),
                "type": "RSA",
                "size": 2048,
            }
        },
    ]
    changes = {**REQUESTS, "another kind of key": {"privatekey_path": str(tmp_path / "other")}}
    for name, change in changes.items():
        asked = {**usual, "privatekey_path": str(tmp_path / "key"), **change}
        tasks += [
            {"community.crypto.openssl_csr_pipe": asked, "register": "request"},
            {
                "community.crypto.openssl_csr_info": {"content": "{{ request.csr }}"},
                "register": "__authority_asked",
            },
            {"ansible.builtin.assert": {"that": conditions}, "register": "seen", "ignore_errors": True},
            {
                "ansible.builtin.debug": {
                    "msg": f"{name}: {{{{ 'refused' if seen is failed else 'signed' }}}}"
                }
            },
        ]
    given = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "authority_certificate_name": "postgresql",
        "__authority_names": ["DNS:db.internal"],
        "__authority_extensions": yaml.safe_load((role / "vars/main.yml").read_text())[
            "__authority_extensions"
        ],
    }
    play = {"hosts": "localhost", "gather_facts": False, "vars": given, "tasks": tasks}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    told = dict(re.findall(r"(as it shall be|an?other [a-z ]+|an? [a-z ]+): (refused|signed)", done.stdout))
    assert told == {name: "signed" if name == "as it shall be" else "refused" for name in changes}

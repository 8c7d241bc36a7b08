# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the preflight says of a front door: one message for each mistake."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._preflight import (
    certificates,
    front_door,
    model,
    rules,
)
from issued_certificates import Issued

OWN = {"front_door", "door_access", "whose_door", "door_apart", "door_ports", "acme", "certificate"}
URL = "https://mc.example.com"
ACME = {"public_url": URL, "acme_contact": "ops@example.com"}


ROOT = Issued("root", days=(-10, 900))
BETWEEN = Issued("between", ROOT, days=(-10, 900))
LEAF = Issued("mc.example.com", BETWEEN)
CHAIN = LEAF.pem + BETWEEN.pem


def context(variables: dict[str, Any], **changes: Any) -> model.Context:
    options: dict[str, Any] = {
        "variables": {f"mission_control_{name}": value for name, value in variables.items()},
        "hostname": "h",
        "groups": {"mission_control": ["h"]},
        "components": ("backend", "frontend"),
        "addresses": {"h": "192.0.2.1"},
    } | changes
    return model.Context(**options)


def found(variables: dict[str, Any], *, warning: bool = False, **changes: Any) -> list[str]:
    problems = rules.check(context(variables, **changes))
    return [str(problem) for problem in problems if problem.rule in OWN and problem.warning is warning]


@pytest.mark.parametrize(
    "variables",
    [
        {"public_url": "http://mc.example.com:3000"},
        {"public_url": URL},
        {"public_url": "https://192.0.2.1"},
        {"public_url": URL, "front_door": "external"},
        {"public_url": URL, "certificate": CHAIN, "certificate_key": LEAF.key_pem},
        {"public_url": URL, "certificate": "/etc/ssl/mc.pem", "certificate_key": "/etc/ssl/mc.key"},
        ACME,
        {**ACME, "acme_key_id": "k", "acme_key": "s"},
        {"public_url": "http://mc.example.com:3000", "hsts": 0},
        {"public_url": URL, "allowed_networks": ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]},
        {"public_url": URL, "closed_paths": ["docs", "health"], "allowed_networks": []},
        {"public_url": URL, "closed_paths": "docs", "allowed_networks": "192.0.2.0/24"},
    ],
)
def test_what_is_right_is_no_problem(variables: dict[str, Any]) -> None:
    assert found(variables) == []


@pytest.mark.parametrize(
    ("variables", "says", "remedy"),
    [
        ({"front_door": "nginx"}, "front_door: nginx — is not a valid choice", "auto or external"),
        (
            {"public_url": "http://mc:3000", "acme_contact": "o@example.com"},
            "does not begin with https",
            "https://",
        ),
        ({"public_url": "http://mc:3000", "certificate": "x"}, "certificate — is set", "https://"),
        (
            {"public_url": URL, "front_door": "external", "certificate": CHAIN},
            "your own proxy has the certificate",
            "take it out",
        ),
        ({"public_url": "http://mc:3000", "hsts": 600}, "hsts: 600 — needs TLS", "https://"),
        (
            {"public_url": "http://mc:3000", "allowed_networks": ["192.0.2.0/24"]},
            "allowed_networks: ['192.0.2.0/24'] — has no effect: mission_control_public_url does not",
            "https://",
        ),
        (
            {"public_url": URL, "front_door": "external", "closed_paths": ["docs"]},
            "closed_paths: ['docs'] — has no effect: mission_control_front_door is external",
            "your own proxy",
        ),
        (
            {"public_url": URL, "allowed_networks": ["192.0.2.0/24", "192.0.2.7/24"]},
            "allowed_networks: 192.0.2.7/24 — is not a list of networks: 192.0.2.7/24 has host bits set",
            "192.0.2.0/24",
        ),
        ({"public_url": URL, "allowed_networks": "office"}, "office — is not a list", "192.0.2.0/24"),
        ({"public_url": URL, "closed_paths": "metrics"}, "closed_paths: metrics — names", "docs or health"),
        ({**ACME, "public_url": "https://192.0.2.1"}, "names 192.0.2.1, for which no ACME", "full name"),
        ({**ACME, "public_url": "https://mc"}, "names mc, for which no ACME", "full name"),
        ({**ACME, "acme_directory": "acme.example.com"}, "is not the https:// address", "Let's Encrypt"),
        ({**ACME, "acme_key_id": "k"}, "acme_key — is not set", "copy both"),
        ({**ACME, "acme_key": "k"}, "acme_key_id — is not set", "copy both"),
        ({**ACME, "certificate": CHAIN}, "certificate — is set beside", "choose one"),
        ({"public_url": URL, "certificate": CHAIN}, "certificate_key — is not set", "give both"),
        ({"public_url": URL, "certificate_key": LEAF.key_pem}, "certificate — is not set", "give both"),
        (
            {"public_url": URL, "certificate": "mc.pem", "certificate_key": "/k"},
            "is neither PEM",
            "such a path",
        ),
    ],
)
def test_each_mistake_has_one_message(variables: dict[str, Any], says: str, remedy: str) -> None:
    lines = found(variables)
    assert len(lines) == 1, lines
    assert says in lines[0]
    assert remedy in lines[0]


# --- plain HTTP ---


def plain(variables: dict[str, Any], **changes: Any) -> list[str]:
    problems = front_door.plain_http(context(variables, **changes))
    return [str(problem) for problem in problems]


PLAIN = {"public_url": "http://mc.example.com:3000"}
LOOPBACK = {"backend_bind": "127.0.0.1", "frontend_bind": "::1"}


@pytest.mark.parametrize(
    "variables",
    [
        {"public_url": URL},
        PLAIN | LOOPBACK,
        PLAIN | {"insecure_http": True},
        PLAIN | {"insecure_http": "yes"},
        {"public_url": URL, "front_door": "external"} | LOOPBACK,
        {"public_url": URL, "front_door": "external", "insecure_http": "true"},
        {},  # the rule public_url tells that
    ],
)
def test_tokens_cross_no_network_in_clear(variables: dict[str, Any]) -> None:
    assert plain(variables) == []


@pytest.mark.parametrize(
    ("variables", "says", "remedy"),
    [
        (
            PLAIN,
            "has no TLS, and the backend at 0.0.0.0 and the frontend at 0.0.0.0 would listen",
            "https://",
        ),
        (
            PLAIN | {"frontend_bind": "127.0.0.1"},
            "and the backend at 0.0.0.0 would listen",
            "_backend_bind to",
        ),
        (PLAIN | LOOPBACK | {"backend_bind": "192.0.2.1"}, "the backend at 192.0.2.1", "insecure_http: true"),
        (
            PLAIN | LOOPBACK | {"frontend_bind": "::"},
            "the frontend at ::",
            "mission_control_frontend_bind to",
        ),
        (PLAIN | {"insecure_http": "perhaps"}, "insecure_http: perhaps — is neither true", "leave it out"),
        ({"public_url": URL, "front_door": "external"}, "leaves TLS to your own proxy", "127.0.0.1 where"),
    ],
)
def test_plain_http_has_to_be_asked_for(variables: dict[str, Any], says: str, remedy: str) -> None:
    (line,) = plain(variables)
    assert says in line and remedy in line


def test_a_host_without_backend_and_frontend_listens_for_nobody() -> None:
    assert plain(PLAIN, components=("postgresql", "worker")) == []
    (line,) = plain(PLAIN, components=("frontend",))
    assert "the frontend at 0.0.0.0" in line and "backend" not in line


EXPIRED = Issued("mc.example.com", BETWEEN, days=(-90, -1))
LATER = Issued("mc.example.com", BETWEEN, days=(2, 90))
OTHER = Issued("other.example.com", BETWEEN)
SELF = Issued("mc.example.com")


@pytest.mark.parametrize(
    ("chain", "key", "says"),
    [
        (CHAIN, OTHER.key_pem, "does not fit the certificate"),
        (EXPIRED.pem + BETWEEN.pem, EXPIRED.key_pem, "expired on"),
        (LATER.pem + BETWEEN.pem, LATER.key_pem, "is not valid before"),
        (OTHER.pem + BETWEEN.pem, OTHER.key_pem, "is made out for other.example.com, not for mc.example.com"),
        (SELF.pem, SELF.key_pem, "is self-signed"),
        (LEAF.pem + ROOT.pem, LEAF.key_pem, "has a chain that does not follow"),
        (
            "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----",
            LEAF.key_pem,
            "is not a certificate in PEM",
        ),
        (CHAIN, "-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----", "is not a private key"),
    ],
)
def test_certificates_that_no_browser_would_believe(chain: str, key: str, says: str) -> None:
    lines = found({"public_url": URL, "certificate": chain, "certificate_key": key})
    assert len(lines) == 1, lines
    assert says in lines[0]
    assert key.split("\n")[1] not in lines[0]


def test_a_certificate_without_its_issuers_is_a_warning() -> None:
    given = {"public_url": URL, "certificate": LEAF.pem, "certificate_key": LEAF.key_pem}
    assert found(given) == []
    assert "comes alone" in found(given, warning=True)[0]


@pytest.mark.parametrize(
    ("names", "name", "problems"),
    [
        (("*.example.com",), "mc.example.com", 0),
        (("*.example.com",), "a.mc.example.com", 1),
        (("*.example.com",), "example.com", 1),
        (("MC.example.com",), "mc.example.com", 0),
    ],
)
def test_a_wildcard_stands_for_one_label(names: tuple[str, ...], name: str, problems: int) -> None:
    leaf = Issued("x", BETWEEN, names=names)
    assert (
        len(list(certificates.pem_problems(leaf.pem + BETWEEN.pem, leaf.key_pem, {name: "public_url"})))
        == problems
    )


def test_a_name_that_leads_nowhere_or_elsewhere() -> None:
    assert "cannot be resolved" in found(ACME, resolved=())[0]
    assert found(ACME, resolved=("192.0.2.1",), warning=True) == []
    assert "leads to 198.51.100.7" in found(ACME, resolved=("198.51.100.7",), warning=True)[0]


def test_two_doors_cannot_both_answer_for_one_name() -> None:
    groups = {"mission_control": ["h", "i"], "mission_control_proxy": ["h", "i"]}
    lines = found(
        {**ACME, "private_network": ["192.0.2.0/24"]},
        groups=groups,
        addresses={"h": "192.0.2.1", "i": "192.0.2.2"},
    )
    assert len(lines) == 1 and "has 2 hosts (h, i)" in lines[0]


def test_what_is_behind_a_door_on_another_host_needs_a_network_of_its_own() -> None:
    groups = {
        "mission_control": ["h", "door"],
        "mission_control_proxy": ["door"],
        "mission_control_frontend": ["h"],
        "mission_control_backend": ["h"],
    }
    addresses = {"h": "10.0.0.1", "door": "10.0.0.2"}
    lines = found({"public_url": URL}, groups=groups, addresses=addresses)
    assert len(lines) == 1 and "tokens would cross the network in clear" in lines[0]
    assert (
        found({"public_url": URL, "private_network": ["10.0.0.0/24"]}, groups=groups, addresses=addresses)
        == []
    )


def host(*ports: int, unit: str = "nginx.service") -> dict[str, Any]:
    return {
        "listeners": [
            {"port": port, "command": "nginx", "pid": 7, "uid": 0, "user": "root", "unit": unit}
            for port in ports
        ]
    }


@pytest.mark.parametrize(("port", "public"), [(80, URL), (443, URL), (8443, f"{URL}:8443")])
def test_a_port_that_somebody_has(port: int, public: str) -> None:
    variables = {"mission_control_public_url": public}
    problems = list(front_door.door_ports(model.Context(variables=variables, hostname="h", host=host(port))))
    assert len(problems) == 1
    assert f"needs port {port}" in str(problems[0]) and "held by nginx (PID 7, user root)" in str(problems[0])
    assert "external" in problems[0].remedy


def test_the_door_itself_may_have_them_and_others_matter_on_its_own_host_only() -> None:
    variables = {"mission_control_public_url": URL}
    own = host(80, 443, unit=front_door.UNIT)
    assert list(front_door.door_ports(model.Context(variables=variables, hostname="h", host=own))) == []
    own["listeners"] = [{**entry, "unit": None, "pid": None, "unknown": True} for entry in own["listeners"]]
    assert list(front_door.door_ports(model.Context(variables=variables, hostname="h", host=own))) == []
    groups = {"mission_control": ["h", "i"], "mission_control_proxy": ["i"]}
    away = model.Context(variables=variables, hostname="h", host=host(80), groups=groups)
    assert list(front_door.door_ports(away)) == []


def test_a_port_of_what_is_behind_it() -> None:
    ports = (model.Port(3000, "mission_control_frontend_port"),)
    variables = {"mission_control_public_url": f"{URL}:3000"}
    problems = list(front_door.door_ports(model.Context(variables=variables, hostname="h", ports=ports)))
    assert [problem.message for problem in problems] == [
        "names the port of mission_control_frontend_port, on which the front door cannot listen, too"
    ]

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The door's configuration as the template makes it; the scenario front_door has HAProxy read it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible_collections.openclaw.mission_control.plugins.filter.addresses import FilterModule
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.front_door import (
    front_door,
)
from jinja2 import Environment, StrictUndefined

TEMPLATE = Path(__file__).resolve().parents[3] / "roles/proxy/templates/haproxy.cfg.j2"
ONE = {"mission_control": ["mc"], "mission_control_gateway": ["mc"]}
APART = {**ONE, "mission_control": ["mc", "door"], "mission_control_proxy": ["door"]}
REACHED = {"mc": "10.0.0.1", "door": "10.0.0.2"}


def configuration(host: str = "mc", groups: dict[str, list[str]] = ONE, **given: Any) -> str:
    """As on the door of these groups' host; `given` are settings of the operator's."""
    settings = {"public_url": "https://mc.example.com", **given}
    door = front_door(settings, groups, host, REACHED).as_dict()
    named = door["gateway"].get("name", door["name"]) != door["name"]
    filters = {f"openclaw.mission_control.{name}": one for name, one in FilterModule().filters().items()}
    environment = Environment(trim_blocks=True, undefined=StrictUndefined, autoescape=False)  # noqa: S701
    environment.filters.update(filters)
    return environment.from_string(TEMPLATE.read_text()).render(
        proxy_door=door,
        proxy_bind="",
        proxy_http_port=80,
        proxy_connections_max=4096,
        proxy_idle_timeout=90,
        proxy_tunnel_timeout=3600,
        proxy_request_timeout=10,
        proxy_body_max=10485760,
        proxy_hsts=600,
        proxy_allowed_networks=["192.0.2.0/24"],
        proxy_closed_paths=["health"],
        __proxy_runtime="/run/door",
        __proxy_certificate="/etc/door.crt",
        __proxy_knows_ipv6=True,
        __proxy_acme=bool(given.get("acme_contact")),
        __proxy_acme_answers="/etc/acme.map",
        __proxy_page="/etc/lost.html",
        __proxy_gateway_page="/etc/lost_gateway.html",
        __proxy_gateway_named=named,
    )


def section(text: str, name: str) -> list[str]:
    found = re.search(rf"^{name}\n((?:[ ].*\n|\n)*)", text, re.MULTILINE)
    return [line.strip() for line in (found[1] if found else "").splitlines() if line.strip()]


def test_without_an_address_of_its_own_nothing_is_said_of_a_gateway() -> None:
    text = configuration()
    assert not re.search(r"\bgateway\b", text)
    assert [line for line in section(text, "frontend http") if "redirect" in line] == [
        "http-request redirect prefix https://mc.example.com code 308"
    ]
    assert not re.search(r"\n\n\n", text)


def test_a_name_of_its_own_tells_the_gateway() -> None:
    text = configuration(gateway_public_url="https://gw.example.com")
    https = section(text, "frontend https")
    assert "acl gateway req.hdr(host),host_only -i gw.example.com" in https
    # Before the paths of the API, of which the gateway has some, too.
    assert https.index("use_backend gateway if gateway") < https.index("use_backend api if api")
    assert len([line for line in https if line.startswith("bind ")]) == 2
    redirects = [line for line in section(text, "frontend http") if "redirect" in line]
    assert redirects == [
        "http-request redirect prefix https://gw.example.com code 308 if gateway",
        "http-request redirect prefix https://mc.example.com code 308",
    ]
    assert section(text, "backend gateway")[-1] == "server mc 127.0.0.1:18789"
    assert all("lost_gateway.html" in line for line in section(text, "backend gateway")[:3])
    # Closed paths are Mission Control's; who may come in holds for both.
    assert next(line for line in https if "no-entry" in line).endswith("unless inside or allowed")
    assert next(line for line in https if " 404 " in line).endswith("if closed !inside !gateway")


def test_a_port_of_its_own_does_so_whatever_name_is_asked_for() -> None:
    text = configuration(gateway_public_url="https://mc.example.com:8443")
    https = section(text, "frontend https")
    assert "acl gateway dst_port 8443" in https and "hdr(host),host_only" not in text
    assert [line.split()[1] for line in https if line.startswith("bind ")] == [
        *("0.0.0.0:443", "[::]:443", "0.0.0.0:8443", "[::]:8443")
    ]
    assert "http-request set-header X-Forwarded-Port 8443 if gateway" in https
    assert len([line for line in section(text, "frontend http") if "redirect" in line]) == 1


def test_an_acme_authority_asks_without_being_sent_on() -> None:
    text = configuration(gateway_public_url="https://gw.example.com", acme_contact="ops@example.com")
    assert section(text, "frontend http")[3:] == [
        "acl acme path_beg /.well-known/acme-challenge/",
        "acl known path,field(4,/),map(/etc/acme.map) -m found",
        "http-request return status 200 content-type application/octet-stream "
        'lf-string "%[path,field(4,/),map(/etc/acme.map)]" if acme known',
        'http-request return status 404 content-type text/plain string "The door knows no such challenge." '
        "if acme",
        "acl gateway req.hdr(host),host_only -i gw.example.com",
        "http-request redirect prefix https://gw.example.com code 308 if gateway",
        "http-request redirect prefix https://mc.example.com code 308",
    ]
    # Nothing that listens on the host is asked: whoever has its port could get a certificate for the name.
    assert "certbot 127.0.0.1" not in text and not re.search(r"\nbackend acme", text)


def test_to_a_gateway_on_another_host_nobody_comes_from_loopback() -> None:
    refusal = "if gateway { src 127.0.0.0/8 ::1 }"
    apart = configuration("door", APART, gateway_public_url="https://gw.example.com")
    assert [line for line in section(apart, "frontend https") if line.endswith(refusal)]
    assert section(apart, "backend gateway")[-1] == "server mc 10.0.0.1:18789"
    assert refusal not in configuration(gateway_public_url="https://gw.example.com")


def test_what_the_door_says_itself_is_told_from_what_is_behind_it() -> None:
    text = configuration(gateway_public_url="https://gateway.example.com")
    for name in ("api", "page", "gateway"):
        lost = [line for line in section(text, f"backend {name}") if line.startswith("http-error")]
        assert len(lost) == 3 and all(f" hdr mission-control-door lost-{name} " in line for line in lost)

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of nftables as the template makes it; the scenario distributed loads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

TEMPLATES = Path(__file__).resolve().parents[3] / "roles/firewall/templates"


def written(name: str, **variables: Any) -> list[str]:
    environment = Environment(trim_blocks=True, undefined=StrictUndefined, autoescape=False)  # noqa: S701
    text = environment.from_string((TEMPLATES / name).read_text()).render(**variables)
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_each_port_is_dropped_for_all_but_its_sources_and_the_host_itself() -> None:
    ports = [{"port": 8000, "sources": ["10.0.0.9", "10.1.0.0/24", "fd00::9"]}, {"port": 3000, "sources": []}]
    assert written("firewall.nft.j2", firewall_ports=ports) == [
        "table inet mission_control",
        "delete table inet mission_control",
        "table inet mission_control {",
        "chain input {",
        "type filter hook input priority filter; policy accept;",
        "iif lo accept",
        "tcp dport 8000 ip saddr 10.0.0.9 accept",
        "tcp dport 8000 ip saddr 10.1.0.0/24 accept",
        "tcp dport 8000 ip6 saddr fd00::9 accept",
        "tcp dport 8000 drop",
        "tcp dport 3000 drop",
        "}",
        "}",
    ]


def test_no_other_table_is_touched_and_what_flushes_all_comes_before() -> None:
    unit = written("mission-control-firewall.service.j2", __firewall_table="/etc/t.nft")
    commands = [line for line in unit if line.startswith("Exec")]
    assert commands == [
        "ExecStart=/usr/sbin/nft --file /etc/t.nft",
        "ExecReload=/usr/sbin/nft --file /etc/t.nft",
        'ExecStop=/usr/sbin/nft "table inet mission_control; delete table inet mission_control"',
    ]
    assert {"DefaultDependencies=no", "Before=network-pre.target shutdown.target"} <= set(unit)
    assert {f"{name}=nftables.service" for name in ("After", "PartOf", "ReloadPropagatedFrom")} <= set(unit)
    table = written("firewall.nft.j2", firewall_ports=[{"port": 8000, "sources": []}])
    assert not [line for line in [*unit, *table] if "flush" in line]

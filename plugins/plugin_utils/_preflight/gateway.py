# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is wrong with the settings of a gateway, found before anything is changed. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ...module_utils._application.components import PORTS
from ...module_utils._gateway import configuration as _configuration
from ...module_utils._gateway.plan import TOKEN_ALPHABET
from ...module_utils._gateway.protocol import BACKEND_PROTOCOLS, OK, REFUSE, check_pair, parse_version
from ...module_utils._host import addresses

NO_DEVICE_AUTH = ("gateway", "controlUi", "dangerouslyDisableDeviceAuth")
BINDS = ("loopback", "lan", "tailnet", "auto", "custom")


@dataclass(frozen=True)
class Problem:
    """One finding: the variable, its value (never a secret), what is wrong and what cures it."""

    variable: str
    value: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        value = f" ({self.value})" if self.value else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.variable}{value}: {self.message}{remedy}"


@dataclass
class Findings:
    """Problems stop a deployment, warnings do not."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Settings:
    """What the role knows before it looks at any host."""

    deployed: bool = True
    version: str = ""
    backend_protocols: tuple[int, int] = BACKEND_PROTOCOLS
    policy: str = REFUSE
    host: str = ""
    backend_hosts: tuple[str, ...] = ()
    bind: str = "loopback"
    bind_host: str = ""
    port: int = PORTS["gateway"]
    url: str = ""
    token: str = ""
    allowed_origins: tuple[str, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    registrations: tuple[Mapping[str, Any], ...] = ()
    boards: tuple[Mapping[str, Any], ...] = ()


def _pair(settings: Settings, variable: str, version: str, found: Findings) -> None:
    finding = check_pair(version, settings.backend_protocols)
    if finding.level == OK:
        return
    # Something that is no version cannot be installed, whatever the policy says.
    stops = finding.level == REFUSE and (settings.policy == REFUSE or parse_version(version) is None)
    problem = Problem(variable, version, finding.message, finding.remedy)
    (found.problems if stops else found.warnings).append(problem)


def _gateway(settings: Settings, found: Findings) -> None:
    _pair(settings, "gateway_version", settings.version, found)
    if settings.bind not in BINDS:
        modes = ", ".join(BINDS)
        found.problems.append(
            Problem("gateway_bind", settings.bind, "is no bind mode.", f"Use one of {modes}.")
        )
    if settings.bind == "custom" and not settings.bind_host:
        found.problems.append(
            Problem(
                "gateway_bind_host", "", "is empty, although gateway_bind is custom.", "Name the address."
            )
        )
    if not 1 <= settings.port <= 65535:
        found.problems.append(Problem("gateway_port", str(settings.port), "is no port.", "Use 1 to 65535."))
    elsewhere = [host for host in settings.backend_hosts if host != settings.host]
    host = urlsplit(settings.url).hostname or ""
    if settings.bind == "loopback" and elsewhere and addresses.is_this_host(host):
        found.problems.append(
            Problem(
                "gateway_bind",
                "loopback",
                f"the backend on {', '.join(elsewhere)} cannot reach a gateway that listens on the loopback "
                "interface only.",
                "Set gateway_bind to lan (the gateway then lets in only devices that were approved), or "
                "give in "
                "gateway_url the end of a tunnel on the backend's host.",
            )
        )
    if settings.token and (len(settings.token) < 16 or not set(settings.token) <= TOKEN_ALPHABET):
        found.problems.append(
            Problem(
                "gateway_token",
                "",
                "is too short or holds characters that do not survive an environment file.",
                "Use the output of openssl rand -hex 32, or leave it empty: one is generated.",
            )
        )
    for origin in settings.allowed_origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            found.problems.append(
                Problem(
                    "gateway_allowed_origins",
                    origin,
                    "is no origin: browsers send scheme, host and port, and nothing after it.",
                    "Write it like https://mission-control.example.com, without a path or a slash at its "
                    "end.",
                )
            )
    tls = _configuration.get(settings.configuration, ("gateway", "tls"))
    unverified = any(item.get("allow_insecure_tls") for item in settings.registrations)
    if isinstance(tls, Mapping) and tls.get("enabled") and not unverified:
        for key in ("certPath", "keyPath"):
            if not tls.get(key):
                found.problems.append(
                    Problem(
                        f"gateway_configuration.gateway.tls.{key}",
                        "",
                        "is missing: the gateway would make itself a certificate that names no host, which "
                        "backends refuse.",
                        "Name the file on the gateway's host.",
                    )
                )
    for flag in _configuration.dangerous_flags(settings.configuration):
        found.warnings.append(
            Problem("gateway_configuration", "", f"switches on a dangerous setting of the gateway. {flag}.")
        )


def _registrations(settings: Settings, found: Findings) -> Iterator[str]:
    for number, item in enumerate(settings.registrations):
        name = str(item.get("name") or "")
        variable = f"mission_control_gateways[{number}]"
        if not name:
            found.problems.append(Problem(variable, "", "has no name.", "Give it one."))
        yield name
        if str(item.get("state") or "present") == "absent":
            continue
        url = str(item.get("url") or (settings.url if settings.deployed else ""))
        parts = urlsplit(url)
        if not url:
            found.problems.append(
                Problem(
                    f"{variable}.url",
                    "",
                    "is missing, and no gateway of this inventory is deployed that it could be.",
                    "Give the address as ws://host:port, or put a host into the group "
                    "mission_control_gateway.",
                )
            )
        elif parts.scheme not in ("ws", "wss") or not parts.hostname:
            found.problems.append(
                Problem(f"{variable}.url", url, "is no address of a gateway.", "Write ws://host:port.")
            )
        elif parts.port is None:
            found.warnings.append(
                Problem(
                    f"{variable}.url",
                    url,
                    "names no port: the product's user interface refuses to edit such a registration.",
                    "Add the port, also 443.",
                )
            )
        if not item.get("token") and not settings.deployed:
            found.problems.append(
                Problem(
                    f"{variable}.token",
                    "",
                    "is missing, and no gateway of this inventory is deployed whose token it could be.",
                    "Give the token that the gateway was started with.",
                )
            )
        if item.get("version"):
            _pair(settings, f"{variable}.version", str(item["version"]), found)
        if item.get("disable_device_pairing"):
            needed = _configuration.get(settings.configuration, NO_DEVICE_AUTH)
            if settings.deployed and not item.get("url") and needed is not True:
                found.problems.append(
                    Problem(
                        f"{variable}.disable_device_pairing",
                        "true",
                        "works only with a gateway that has its device authentication switched off.",
                        "Leave it out: the role approves the backend's device, which is the safe way. (The "
                        "dangerous one needs gateway.controlUi.dangerouslyDisableDeviceAuth in "
                        "gateway_configuration.)",
                    )
                )
            found.warnings.append(
                Problem(
                    f"{variable}.disable_device_pairing",
                    "true",
                    "makes the token the only thing between the network and the gateway's agents.",
                    "The safe way is to leave it out.",
                )
            )
        if item.get("allow_insecure_tls"):
            found.warnings.append(
                Problem(
                    f"{variable}.allow_insecure_tls",
                    "true",
                    "lets anybody in between read the gateway's token and control it.",
                    "With an authority of your own, rather set mission_control_gateway_ca_path.",
                )
            )


def check(settings: Settings) -> Findings:
    """All findings at once."""
    found = Findings()
    if settings.deployed:
        _gateway(settings, found)
    names = [name for name in _registrations(settings, found) if name]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problem = Problem("mission_control_gateways", name, "is named twice.", "Choose another name.")
        found.problems.append(problem)
    for number, board in enumerate(settings.boards):
        variable = f"mission_control_boards[{number}]"
        if not board.get("name"):
            found.problems.append(Problem(variable, "", "has no name.", "Give it one."))
        if str(board.get("state") or "present") == "absent" or board.get("gateway_id"):
            continue
        gateway = str(board.get("gateway") or "")
        if not gateway and len(names) != 1:
            found.problems.append(
                Problem(f"{variable}.gateway", "", "is missing.", "Name the registered gateway of the board.")
            )
        elif gateway and names and gateway not in names:
            found.warnings.append(
                Problem(
                    f"{variable}.gateway",
                    gateway,
                    "is none of mission_control_gateways; it has to be registered already.",
                )
            )
    return found

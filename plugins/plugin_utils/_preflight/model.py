# SPDX-License-Identifier: GPL-3.0-or-later
"""What rules know, and what they find.

A rule is a function from what is known (variables, inventory, inspected host) to problems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from ...module_utils._application import assignment as _assignment
from ...module_utils._application import components as _components
from ...module_utils._application.flags import FALSE, TRUE
from ...module_utils._gateway.protocol import BACKEND_PROTOCOLS, REFUSE
from ...module_utils._host.deployment_errors import DeploymentError

PREFIX = _assignment.GROUP
COMPONENTS = _assignment.ASSIGNED


@dataclass(frozen=True)
class Problem:
    """One mistake: the variable, its value where that is no secret, what is wrong, and what to do."""

    rule: str
    variable: str
    _: KW_ONLY
    message: str
    remedy: str
    value: str = ""
    warning: bool = False

    def __str__(self) -> str:
        subject = f"{self.variable}: {self.value}" if self.value else self.variable
        return f"{subject} — {self.message}; {self.remedy}" if self.remedy else f"{subject} — {self.message}"

    def as_dict(self) -> dict[str, str]:
        return {
            "rule": self.rule,
            "variable": self.variable,
            "value": self.value,
            "message": self.message,
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Port:
    number: Any
    variable: str


@dataclass(frozen=True)
class Space:
    path: str
    needed: int
    variable: str


@dataclass(frozen=True)
class Bundle:
    """The bundle that is deployed from, beside what the roles would download otherwise."""

    path: str
    directory: str  # on the host
    manifest: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""  # why it cannot be read
    role_variables: Mapping[str, Any] = field(default_factory=dict)  # variables of the roles by name


@dataclass(frozen=True)
class Gateway:
    """The variables of the role gateway, where a playbook has it; `faults` are those of another kind."""

    user: str = ""
    here: bool = True  # whether this host is about to run a gateway
    deployed: bool = True  # whether a host of the inventory is
    version: str = ""
    protocols: tuple[int, int] = BACKEND_PROTOCOLS
    policy: str = REFUSE
    backend_hosts: tuple[str, ...] = ()
    bind: str = "loopback"
    bind_host: str = ""
    port: int = _components.PORTS["gateway"]
    url: str = ""
    token: str = ""
    allowed_origins: tuple[str, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    registrations: tuple[Mapping[str, Any], ...] = ()
    boards: tuple[Mapping[str, Any], ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)


def in_line(remedy: str) -> str:
    """A sentence as the second half of another."""
    return remedy[:1].lower() + remedy[1:].rstrip(".")


@dataclass(frozen=True)
class Context:
    """What the rules know. `host` is what the module host_info returned, or None before it was asked."""

    variables: Mapping[str, Any] = field(default_factory=dict)
    undefined: Mapping[str, str] = field(default_factory=dict)
    changing: Sequence[str] = ()  # variables that give another value each time they are asked for
    names: Sequence[str] = ()
    hostname: str = ""
    groups: Mapping[str, Sequence[str]] = field(
        default_factory=dict
    )  # by our names, whatever they are called
    group: str = PREFIX  # what the group of the deployment's hosts is called
    components: Sequence[str] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)  # where hosts are reached, by their names
    resolved: Sequence[str] | None = None  # where the public URL's name leads; None where nobody asked
    gateway_resolved: Sequence[str] | None = None  # the same of the gateway's own address
    host: Mapping[str, Any] | None = None
    ports: Sequence[Port] = ()
    spaces: Sequence[Space] = ()
    memory: int = 0
    bundle: Bundle | None = None
    gateway: Gateway | None = None
    gateway_support: Mapping[str, Any] = field(default_factory=dict)  # what the source says of itself
    source: DeploymentError | None = None  # what is wrong with the source, as far as the controller can see

    def get(self, name: str, default: Any = "") -> Any:
        """The value of mission_control_<name>, or the default where it is not set or empty."""
        value = self.variables.get(f"{PREFIX}_{name}")
        return default if value is None or value == "" else value

    def flag(self, name: str, default: bool) -> bool | None:
        """Whether mission_control_<name> is true; None where it is neither true nor false."""
        value = str(self.get(name, default)).lower()
        return True if value in TRUE else False if value in FALSE else None

    @property
    def secret_settings(self) -> tuple[str, ...]:
        """Names of settings that are secret because the operator says so."""
        named = self.get("secret_settings", ())
        return tuple(map(str, named)) if isinstance(named, (list, tuple)) else ()

    def runs(self, *components: str) -> bool:
        return any(component in self.components for component in components)

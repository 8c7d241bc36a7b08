# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the rules of plugin_utils/_preflight/rules.py over the variables of a host, on the controller."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ..module_utils import _bundle
from ..module_utils._application import front_door
from ..module_utils._application.assignment import GROUP, components_of, hosts_of, own_groups
from ..module_utils._application.components import PORTS
from ..module_utils._host.deployment_errors import DeploymentError
from ..module_utils._release import source as _source
from ..plugin_utils._groups import VARIABLE
from ..plugin_utils._preflight import front_door as front_door_rules
from ..plugin_utils._preflight import inventory, model, rules

# What the roles would download and build.
BUNDLED_VARIABLES = (
    "source_revision",
    "backend_uv_version",
    "frontend_settings",
    "frontend_environment",
    "frontend_fonts",
    "frontend_node_version",
    "gateway_version",
    "gateway_node_version",
    "gateway_plugins",
)
_DEFAULT_PORTS = {
    "backend": ("mission_control_backend_port", PORTS["backend"]),
    "frontend": ("mission_control_frontend_port", PORTS["frontend"]),
}
# What the role gateway is told, by the names of its variables.
GATEWAY_VARIABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "gateway_user": ("user", {"type": "str"}),
    "gateway_version": ("version", {"type": "str"}),
    "gateway_backend_protocol": ("protocols", {"type": "list", "elements": "int"}),
    "gateway_protocol_policy": ("policy", {"type": "str", "choices": ["refuse", "warn"]}),
    "gateway_backend_hosts": ("backend_hosts", {"type": "list", "elements": "str"}),
    "gateway_bind": ("bind", {"type": "str"}),
    "gateway_bind_host": ("bind_host", {"type": "str"}),
    "gateway_port": ("port", {"type": "int"}),
    "gateway_url": ("url", {"type": "str"}),
    "gateway_token": ("token", {"type": "str", "no_log": True}),
    "gateway_allowed_origins": ("allowed_origins", {"type": "list", "elements": "str"}),
    "gateway_configuration": ("configuration", {"type": "dict"}),
    "gateway_registrations": ("registrations", {"type": "list", "elements": "dict"}),
    "gateway_boards": ("boards", {"type": "list", "elements": "dict"}),
}

ARGUMENTS: dict[str, Any] = {
    "host": {"type": "dict"},
    "components": {"type": "list", "elements": "str", "choices": list(model.COMPONENTS)},
    "variables": {"type": "dict", "default": {}},
    "ports": {
        "type": "list",
        "elements": "dict",
        "options": {
            "port": {"type": "int", "required": True},
            "variable": {"type": "str", "required": True},
        },
    },
    "disk": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "str", "required": True},
            "bytes": {"type": "int", "required": True},
            "variable": {"type": "str", "required": True},
        },
    },
    "memory": {"type": "int", "default": 0},
    "bundle": {"type": "str", "default": ""},
    "bundle_directory": {"type": "str", "default": ""},
    "gateway_support": {"type": "dict", "default": {}},
}


def _told(found: Sequence[model.Problem], changed: str = "nothing was changed") -> dict[str, Any]:
    """What the task returns of what was found."""
    problems = [problem for problem in found if not problem.warning]
    result: dict[str, Any] = {"problems": [problem.as_dict() for problem in problems]}
    warnings = [str(problem) for problem in found if problem.warning]
    if warnings:
        result["warnings"] = warnings
    if problems:
        head = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(str(problem) for problem in problems)
        result.update(failed=True, msg=f"{head} to put right first; {changed}:\n{lines}")
    return result


class ActionModule(ActionBase):  # type: ignore[misc]
    """Fails with all problems at once; asks the host nothing."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        facts = task_vars or {}
        _validated, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        values, undefined, changing = self._public_variables(facts)
        values.update(arguments["variables"])
        hostname = str(facts.get("inventory_hostname", ""))
        group = str(values.get(VARIABLE) or GROUP)
        groups = own_groups(dict(facts.get("groups") or {}), group)
        components = arguments["components"]
        if components is None:
            components = components_of(hostname, groups)
        components = [*components, *self._roles_to_follow(components)]
        gateway = self._gateway(components, groups, facts)
        context = model.Context(
            variables=values,
            undefined={name: why for name, why in undefined.items() if name not in arguments["variables"]},
            changing=[name for name in changing if name not in arguments["variables"]],
            names=[str(name) for name in facts],
            hostname=hostname,
            groups=groups,
            group=group,
            components=components,
            addresses=self._addresses(facts, values),
            resolved=_resolved(values),
            gateway_resolved=_resolved(values, "gateway_public_url"),
            host=arguments["host"],
            ports=_ports(arguments["ports"], components, values, gateway),
            spaces=[
                model.Space(entry["path"], entry["bytes"], entry["variable"]) for entry in arguments["disk"]
            ],
            memory=arguments["memory"],
            bundle=self._bundle(arguments["bundle"], arguments["bundle_directory"], facts),
            gateway=gateway,
            gateway_support=arguments["gateway_support"],
            source=None if arguments["bundle"] else _source_fault(values),
        )
        # The others have been checked before anything was brought.
        if arguments["gateway_support"]:
            found = rules.check(context, rules.RULES_OF_THE_SOURCE)
            told = _told(found, "the source was brought, and nothing else was changed")
        else:
            told = _told(rules.check(context))
        result.update(changed=False, components=components, **told)
        return result

    def _addresses(self, facts: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
        """Where the hosts of the inventory are reached; those that cannot be resolved are left out."""
        found: dict[str, str] = {}
        wanted = front_door.is_wanted(
            values.get("mission_control_public_url"), values.get("mission_control_front_door")
        )
        if "mission_control_tls" not in values and not wanted:
            return found  # each costs time, and nobody asks
        for name, variables in dict(facts.get("hostvars") or {}).items():
            with contextlib.suppress(KeyError, AnsibleError):
                found[str(name)] = str(self._templar.template(variables["ansible_host"]))
        return found

    def _bundle(self, path: str, directory: str, facts: Mapping[str, Any]) -> model.Bundle | None:
        """The bundle, and the variables of the roles that it has to fit; unknown ones do not count."""
        if not path:
            return None
        try:
            manifest = _bundle.read_manifest(Path(path).expanduser())
        except DeploymentError as error:
            fault = error.message.partition(f"{path} ")[2].rstrip(".")
            return model.Bundle(path, directory, fault=fault or error.message)
        role_variables = {}
        for name in BUNDLED_VARIABLES:
            with contextlib.suppress(KeyError, AnsibleError):
                role_variables[name] = self._templar.template(facts[name])
        return model.Bundle(path, directory, manifest, role_variables=role_variables)

    def _roles_to_follow(self, components: Sequence[str]) -> list[str]:
        """The components whose roles need common here, whatever the inventory calls the host."""
        needing = {role.get_name().rpartition(".")[2] for role in self._task.get_dep_chain() or ()}
        return [name for name in model.COMPONENTS if name in needing and name not in components]

    def _gateway(
        self, components: Sequence[str], groups: Mapping[str, Sequence[str]], facts: Mapping[str, Any]
    ) -> model.Gateway | None:
        """What the role gateway would be told; nothing where the play has no such role."""
        if any(name not in facts for name in GATEWAY_VARIABLES):
            return None
        here = "gateway" in components and str(facts.get("gateway_state", "present")) != "absent"
        if not here and not {"gateway", "backend"} & set(components):
            return None
        values: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for name, (option, specification) in GATEWAY_VARIABLES.items():
            try:
                values[option] = _converted(self._templar.template(facts[name]), specification)
            except AnsibleError as error:
                faults[name] = f"cannot be resolved: {_first_sentence(error)}"
            except TypeError:
                elements = specification.get("elements")
                faults[name] = (
                    f"has to be of type {specification['type']}{f' of {elements}' if elements else ''}"
                )
        protocols = values.pop("protocols", None) or [3]
        return model.Gateway(
            here=here,
            deployed=here or bool(hosts_of("gateway", groups)),
            protocols=(min(protocols), max(protocols)),
            faults=faults,
            **values,
        )

    def _public_variables(self, facts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str], list[str]]:
        """The values of the public variables, why others cannot be resolved, and what never settles."""
        values: dict[str, Any] = {}
        undefined: dict[str, str] = {}
        changing: list[str] = []
        for name in sorted(inventory.PUBLIC_VARIABLES):
            if name not in facts:
                continue
            try:
                values[name] = self._templar.template(facts[name])
                if self._templar.template(facts[name]) != values[name]:
                    changing.append(name)
            except AnsibleError as error:
                undefined[name] = _first_sentence(error)
        return values, undefined, changing


def _converted(value: Any, specification: dict[str, Any]) -> Any:
    """A value as the role's argument specification takes it; TypeError where it does not."""
    validated = ArgumentSpecValidator({"value": specification}).validate({"value": value})
    if validated.error_messages:
        raise TypeError
    found = validated.validated_parameters["value"]
    return tuple(found) if isinstance(found, list) else found


def _source_fault(values: Mapping[str, Any]) -> DeploymentError | None:
    source = str(values.get("mission_control_source") or "")
    if not source:
        # The product's own address.
        return None
    try:
        _source.on_controller(source, str(values.get("mission_control_source_checksum") or ""))
    except DeploymentError as error:
        return error
    return None


def _resolved(values: Mapping[str, Any], variable: str = "public_url") -> Sequence[str] | None:
    """Where a public address leads; asked where an ACME authority will ask the same."""
    settings = {name: values.get(f"mission_control_{name}") for name in ("acme_contact", "acme_directory")}
    wanted = front_door.is_wanted(
        values.get("mission_control_public_url"), values.get("mission_control_front_door")
    )
    if not wanted or front_door.certificates_from(settings) != front_door.ACME:
        return None
    with contextlib.suppress(ValueError):
        if name := urlsplit(str(values.get(f"mission_control_{variable}") or "")).hostname:
            return front_door_rules.resolved(name)
    return None


def _first_sentence(error: AnsibleError) -> str:
    text = str(getattr(error, "message", None) or error)
    return text.splitlines()[0].rstrip(".") if text else "unknown"


def _ports(
    given: list[dict[str, Any]] | None,
    components: list[str],
    values: Mapping[str, Any],
    gateway: model.Gateway | None,
) -> list[model.Port]:
    """The ports that what we start will listen on, and the variables that name them."""
    if given is not None:
        return [model.Port(entry["port"], entry["variable"]) for entry in given]
    ports = []
    for component, (variable, default) in _DEFAULT_PORTS.items():
        if component in components:
            number = values.get(variable)
            ports.append(model.Port(default if number in (None, "") else number, variable))
    # What is not a port at all is told with the gateway's other settings.
    if gateway is not None and gateway.here and 1 <= gateway.port <= 65535:
        ports.append(model.Port(gateway.port, "gateway_port"))
    return ports

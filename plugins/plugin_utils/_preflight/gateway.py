# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about gateways, their registrations and their boards: the variables of the role gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ...module_utils._gateway import configuration as _configuration
from ...module_utils._gateway.plan import TOKEN_ALPHABET
from ...module_utils._gateway.protocol import OK, REFUSE, check_pair, parse_version
from ...module_utils._host import reachable
from .model import PREFIX as _PREFIX
from .model import Context, Gateway, Problem, in_line
from .users import USER_NAME, USER_NAME_REMEDY

PREFIX = f"{_PREFIX}_gateway"

NO_DEVICE_AUTH = ("gateway", "controlUi", "dangerouslyDisableDeviceAuth")
BINDS = ("loopback", "lan", "tailnet", "auto", "custom")
REGISTRATIONS = "mission_control_gateways"
BOARDS = "mission_control_boards"


def _parts(url: str) -> SplitResult:
    """A URL in parts; no parts at all where it cannot be one, a port out of range included."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def _deployed_here(context: Context) -> Gateway | None:
    """The gateway's settings where this host is about to run one."""
    return context.gateway if context.gateway is not None and context.gateway.here else None


def gateway_settings(context: Context) -> Iterator[Problem]:
    """What is of another kind than the role takes, so that no other rule could look at it."""
    if context.gateway is not None:
        for variable, fault in context.gateway.faults.items():
            yield Problem(
                rule="gateway_settings",
                variable=variable,
                message=fault,
                remedy="see ansible-doc -t role openclaw.mission_control.gateway",
            )


def gateway_user(context: Context) -> Iterator[Problem]:
    """As whom agents run, and what they get into their hands by that."""
    settings = _deployed_here(context)
    if settings is None or not settings.user:
        return
    variable, name = f"{PREFIX}_user", settings.user
    host = context.host or {}
    found = host.get("gateway") or {}
    account = found.get("account") or {} if found.get("user") == name else {}
    application = host.get("user") or {}
    if name == "root" or account.get("uid") == 0:
        yield Problem(
            rule="gateway_user",
            variable=variable,
            value=name,
            message="is the superuser, and agents must not run as that",
            remedy="name an ordinary user, who is created when missing, or none",
        )
    elif not USER_NAME.fullmatch(name):
        yield Problem(
            rule="gateway_user",
            variable=variable,
            value=name,
            message="is not a valid user name",
            remedy=USER_NAME_REMEDY,
        )
    elif name == str(context.get("user", "mission-control")):
        yield _together(variable, name, by_hand=bool(found.get("by_hand")))
    elif account.get("uid") is not None and account["uid"] == application.get("uid"):
        yield Problem(
            rule="gateway_user",
            variable=variable,
            value=name,
            message=f"has the UID of {application.get('name')}, so agents would run as the application",
            remedy="give it another UID, or name another user",
        )
    elif found.get("occupied") and found.get("former"):
        yield Problem(
            rule="gateway_user",
            variable=variable,
            value=name,
            message=f"has a gateway already ({account.get('home')}/.openclaw), and the one of "
            f"{found['former']} would be moved there",
            remedy=f"name another user, or set {variable}: {found['former']} to leave it where it is",
        )
    elif found.get("former") and found.get("user") == name:
        yield Problem(
            rule="gateway_user",
            variable=variable,
            value=name,
            message=f"gets the gateway of {found['former']}, with sessions, workspaces and pairings; it "
            "stands still meanwhile. What agents have elsewhere in that home stays there",
            remedy=f"set {variable}: {found['former']} to leave it where it is",
            warning=True,
        )


def _together(variable: str, name: str, *, by_hand: bool) -> Problem:
    whose = "the gateway was set up by hand as" if by_hand else "the gateway runs as"
    return Problem(
        rule="gateway_user",
        variable=variable,
        value=name,
        message=f"is the application's user: {whose} it, so agents can read the application's token, "
        "database password, key and backups, and change its code",
        remedy="name another user, for example openclaw: a deployment moves the gateway there"
        if by_hand
        else "leave the variable out: a deployment moves the gateway to a user of its own",
        warning=True,
    )


def gateway_version(context: Context) -> Iterator[Problem]:
    if settings := _deployed_here(context):
        yield from _pair(settings, "gateway_version", settings.version)


def gateway_support(context: Context) -> Iterator[Problem]:
    """What the revision itself can do with gateways, once its source is there."""
    support, settings = context.gateway_support, context.gateway
    if not support or settings is None:
        return
    offered = min(support["protocols"]), max(support["protocols"])
    # Where it is as the variables say, this was told before.
    if settings.deployed and offered != settings.protocols:
        of_source = replace(settings, protocols=offered)
        for problem in _pair(of_source, f"{PREFIX}_version", settings.version, of_source=True):
            yield replace(problem, rule="gateway_support")
    wanted = [item for item in settings.registrations if item.get("state", "present") != "absent"]
    if wanted and not support["version_from_greeting"]:
        yield Problem(
            rule="gateway_support",
            variable=REGISTRATIONS,
            message="cannot be registered by this revision of the product: it is from before 2026-02-22 and "
            "looks for a gateway's version where gateways do not tell it any more",
            remedy=f"deploy a newer revision ({_PREFIX}_revision), or no gateway ({REGISTRATIONS}: [])",
        )


def _pair(settings: Gateway, variable: str, asked: str, *, of_source: bool = False) -> Iterator[Problem]:
    finding = check_pair(asked, settings.protocols, of_source=of_source)
    if finding.level == OK:
        return
    # Something that is no version cannot be installed, whatever the policy says.
    stops = finding.level == REFUSE and (settings.policy == REFUSE or parse_version(asked) is None)
    yield Problem(
        rule="gateway_version",
        variable=variable,
        value=asked,
        message=finding.message.rstrip("."),
        remedy=in_line(finding.remedy),
        warning=not stops,
    )


def gateway_listening(context: Context) -> Iterator[Problem]:
    """Whether the gateway can listen as it shall, and the backends reach it there."""
    settings = _deployed_here(context)
    if settings is None:
        return
    if settings.bind not in BINDS:
        yield Problem(
            rule="gateway_listening",
            variable="gateway_bind",
            value=settings.bind,
            message="is not a valid bind mode",
            remedy=f"use one of {', '.join(BINDS)}",
        )
    if settings.bind == "custom" and not settings.bind_host:
        yield Problem(
            rule="gateway_listening",
            variable="gateway_bind_host",
            message="is empty, although gateway_bind is custom",
            remedy="name the address",
        )
    if not 1 <= settings.port <= 65535:
        yield Problem(
            rule="gateway_listening",
            variable="gateway_port",
            value=str(settings.port),
            message="is not a valid port",
            remedy="use 1 to 65535",
        )
    elsewhere = [host for host in settings.backend_hosts if host != context.hostname]
    host = _parts(settings.url).hostname or ""
    if settings.bind == "loopback" and elsewhere and reachable.is_this_host(host):
        yield Problem(
            rule="gateway_listening",
            variable="gateway_bind",
            value="loopback",
            message=f"the backend on {', '.join(elsewhere)} cannot reach a gateway that listens on the "
            "loopback interface only",
            remedy="set gateway_bind to lan (the gateway then lets in only devices that were approved), or "
            "give in gateway_url the end of a tunnel on the backend's host",
        )


def gateway_access(context: Context) -> Iterator[Problem]:
    """Who gets in: token, origins, certificate, and flags that let in everybody."""
    settings = _deployed_here(context)
    if settings is None:
        return
    if settings.token and (len(settings.token) < 16 or not set(settings.token) <= TOKEN_ALPHABET):
        yield Problem(
            rule="gateway_access",
            variable="gateway_token",
            message="is too short or holds characters that do not survive an environment file",
            remedy="use the output of openssl rand -hex 32, or leave it empty: one is generated",
        )
    for origin in settings.allowed_origins:
        parts = _parts(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            yield Problem(
                rule="gateway_access",
                variable="gateway_allowed_origins",
                value=origin,
                message="is not a valid origin: browsers send scheme, host and port, and nothing after it",
                remedy="write it like https://mission-control.example.com, without a path or a slash at its "
                "end",
            )
    yield from _certificate(settings)
    for flag in _configuration.dangerous_flags(settings.configuration):
        yield Problem(
            rule="gateway_access",
            variable="gateway_configuration",
            message=f"switches on a dangerous setting of the gateway. {flag}",
            remedy="",
            warning=True,
        )


def _certificate(settings: Gateway) -> Iterator[Problem]:
    tls = _configuration.get(settings.configuration, ("gateway", "tls"))
    unverified = any(item.get("allow_insecure_tls") for item in settings.registrations)
    if not isinstance(tls, Mapping) or not tls.get("enabled") or unverified:
        return
    for key in ("certPath", "keyPath"):
        if not tls.get(key):
            yield Problem(
                rule="gateway_access",
                variable=f"gateway_configuration.gateway.tls.{key}",
                message="is missing: the gateway would make itself a certificate that names no host, which "
                "backends refuse",
                remedy="name the file on the gateway's host",
            )


def gateway_registrations(context: Context) -> Iterator[Problem]:
    settings = context.gateway
    if settings is None:
        return
    for number, item in enumerate(settings.registrations):
        variable = f"{REGISTRATIONS}[{number}]"
        if not item.get("name"):
            yield Problem(
                rule="gateway_registrations", variable=variable, message="has no name", remedy="give it one"
            )
        if str(item.get("state") or "present") == "absent":
            continue
        yield from _address(settings, variable, item)
        if not item.get("token") and not settings.deployed:
            yield Problem(
                rule="gateway_registrations",
                variable=f"{variable}.token",
                message="is missing, and no gateway of this inventory is deployed whose token it could be",
                remedy="give the token that the gateway was started with",
            )
        if item.get("version"):
            yield from _pair(settings, f"{variable}.version", str(item["version"]))
        yield from _unsafe(settings, variable, item)
    names = _names(settings)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(
            rule="gateway_registrations",
            variable=REGISTRATIONS,
            value=name,
            message="is named twice",
            remedy="choose another name",
        )


def _names(settings: Gateway) -> list[str]:
    return [str(item["name"]) for item in settings.registrations if item.get("name")]


def _address(settings: Gateway, variable: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    if settings.deployed and not item.get("url") and not 1 <= settings.port <= 65535:
        return  # The gateway's own address, whose port is told already.
    url = str(item.get("url") or (settings.url if settings.deployed else ""))
    parts = _parts(url)
    if not url:
        yield Problem(
            rule="gateway_registrations",
            variable=f"{variable}.url",
            message="is missing, and no gateway of this inventory is deployed that it could be",
            remedy="give the address as ws://host:port, or put a host into the group mission_control_gateway",
        )
    elif parts.scheme not in ("ws", "wss") or not parts.hostname:
        yield Problem(
            rule="gateway_registrations",
            variable=f"{variable}.url",
            value=url,
            message="is not a valid gateway address",
            remedy="write ws://host:port",
        )
    elif parts.port is None:
        yield Problem(
            rule="gateway_registrations",
            variable=f"{variable}.url",
            value=url,
            message="names no port: the product's user interface refuses to edit such a registration",
            remedy="add the port, also 443",
            warning=True,
        )


def _unsafe(settings: Gateway, variable: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    if item.get("disable_device_pairing"):
        needed = _configuration.get(settings.configuration, NO_DEVICE_AUTH)
        if settings.deployed and not item.get("url") and needed is not True:
            yield Problem(
                rule="gateway_registrations",
                variable=f"{variable}.disable_device_pairing",
                value="true",
                message="works only with a gateway that has its device authentication switched off",
                remedy="leave it out: the role approves the backend's device, which is the safe way (the "
                "dangerous one needs gateway.controlUi.dangerouslyDisableDeviceAuth in "
                "gateway_configuration)",
            )
        yield Problem(
            rule="gateway_registrations",
            variable=f"{variable}.disable_device_pairing",
            value="true",
            message="makes the token the only thing between the network and the gateway's agents",
            remedy="the safe way is to leave it out",
            warning=True,
        )
    if item.get("allow_insecure_tls"):
        yield Problem(
            rule="gateway_registrations",
            variable=f"{variable}.allow_insecure_tls",
            value="true",
            message="lets anybody in between read the gateway's token and control it",
            remedy="with an authority of your own, rather set mission_control_gateway_ca_path",
            warning=True,
        )


def gateway_boards(context: Context) -> Iterator[Problem]:
    settings = context.gateway
    if settings is None:
        return
    names = _names(settings)
    for number, board in enumerate(settings.boards):
        variable = f"{BOARDS}[{number}]"
        if not board.get("name"):
            yield Problem(
                rule="gateway_boards", variable=variable, message="has no name", remedy="give it one"
            )
        if str(board.get("state") or "present") == "absent" or board.get("gateway_id"):
            continue
        gateway = str(board.get("gateway") or "")
        if not gateway and len(names) != 1:
            yield Problem(
                rule="gateway_boards",
                variable=f"{variable}.gateway",
                message="is missing",
                remedy="name the registered gateway of the board",
            )
        elif gateway and names and gateway not in names:
            yield Problem(
                rule="gateway_boards",
                variable=f"{variable}.gateway",
                value=gateway,
                message="is not one of mission_control_gateways",
                remedy="it has to be registered already",
                warning=True,
            )

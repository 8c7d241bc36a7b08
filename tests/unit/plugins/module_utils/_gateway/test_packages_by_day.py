# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The same packages on every day: the real npm, and a registry that gets newer versions between two days."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import installer as _installer
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import plan as _plan
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError

NODE, NPM = shutil.which("node"), shutil.which("npm")
pytestmark = pytest.mark.skipif(not (NODE and NPM), reason="needs node and npm (apt-get install npm)")
PROGRAM = 'console.log("OpenClaw 2026.4.2 (abc)");\n'


def packed(files: dict[str, str]) -> bytes:
    """A package as npm takes it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


class Registry:
    """Packages with the moments at which their versions were published."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.archives: dict[str, bytes] = {}
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = unquote(self.path.lstrip("/").partition("?")[0])
                document = registry.documents.get(name)
                content = registry.archives.get(name) or json.dumps(document or {}).encode()
                self.send_response(200 if document or name in registry.archives else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, name: str, version: str, moment: str, dependencies: dict[str, str]) -> None:
        manifest = {"name": name, "version": version, "dependencies": dependencies}
        files = {"package.json": json.dumps(manifest), "index.js": f"// {version}\n"}
        if name == "openclaw":
            files["openclaw.mjs"] = PROGRAM
        archive = packed(files)
        place = f"{name}/-/{name}-{version}.tgz"
        self.archives[place] = archive
        document = self.documents.setdefault(
            name, {"name": name, "versions": {}, "time": {}, "dist-tags": {"latest": version}}
        )
        digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
        document["versions"][version] = {
            **manifest,
            "dist": {"tarball": f"{self.url}/{place}", "integrity": f"sha512-{digest}"},
        }
        document["time"][version] = moment
        document["dist-tags"]["latest"] = version


@pytest.fixture
def registry() -> Iterator[Registry]:
    made = Registry()
    made.publish("deep", "2.0.0", "2026-03-01T00:00:00.000Z", {})
    made.publish("ranged", "1.0.0", "2026-03-02T00:00:00.000Z", {"deep": "^2.0.0"})
    made.publish("openclaw", "2026.4.2", "2026-04-02T22:40:51.130Z", {"ranged": "^1.0.0"})
    yield made
    made.server.shutdown()
    made.server.server_close()


def install(registry: Registry, root: Path) -> Path:
    """The tree of a version on a host of its own, which has Node already."""
    request = _plan.Request(
        account=find_account(),
        root=root / "gateway",
        state_directory=root / "state",
        version="2026.4.2",
        node_version="24.19.0",
        allowed_origins=("http://mc:3000",),
        plugins=(),
        environment={"npm_config_registry": registry.url, "npm_config_cache": str(root / "cache")},
    )
    layout = _plan.Layout(request)
    assert NODE and NPM
    layout.npm.parent.mkdir(parents=True)
    layout.npm.symlink_to(os.path.realpath(NPM))
    layout.node.parent.mkdir(parents=True)
    layout.node.symlink_to(NODE)
    _installer.Installer(request, layout).install_version()
    return layout.tree


def content(tree: Path) -> dict[str, str]:
    """Each file of the packages, by its path, without what npm notes of its own work."""
    return {
        str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((tree / "node_modules").rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def components(tree: Path) -> set[str]:
    told = json.loads((tree / _installer.PACKAGES).read_text())
    return {item["purl"] for item in told["components"]}


def test_two_installations_on_different_days_are_the_same(registry: Registry, tmp_path: Path) -> None:
    first = install(registry, tmp_path / "first")
    # Days later, within the ranges that were named.
    registry.publish("deep", "2.7.0", "2026-04-20T00:00:00.000Z", {})
    registry.publish("ranged", "1.3.0", "2026-04-21T00:00:00.000Z", {"deep": "^2.5.0"})
    second = install(registry, tmp_path / "second")
    assert content(first) == content(second)
    named = {f"pkg:npm/{name}" for name in ("openclaw@2026.4.2", "ranged@1.0.0", "deep@2.0.0")}
    assert components(first) == components(second) == named
    # Without that moment they would not be: by now the registry has newer ones.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert NPM
    subprocess.run(
        [NPM, "install", "--no-audit", "--no-fund", "--ignore-scripts", "openclaw@2026.4.2"],
        cwd=elsewhere,
        env={**os.environ, "npm_config_registry": registry.url, "npm_config_cache": str(tmp_path / "c")},
        check=True,
        capture_output=True,
    )
    newer = json.loads((elsewhere / "node_modules/ranged/package.json").read_text())["version"]
    assert newer == "1.3.0"


def test_a_package_that_came_after_the_version_that_names_it_is_waited_for(
    registry: Registry, tmp_path: Path
) -> None:
    registry.publish("@openclaw/ai", "2026.4.2", "2026-04-02T23:10:00.000Z", {"ranged": "^1.0.0"})
    registry.publish("@openclaw/late", "1.0.0", "2026-04-03T01:00:00.500Z", {})
    pins = {"@openclaw/ai": "2026.4.2", "@openclaw/late": "1.0.0", "ranged": "^1.0.0"}
    registry.publish("openclaw", "2026.4.2", "2026-04-02T22:40:51.130Z", pins)
    # What came within that time counts, and what came later does not.
    registry.publish("deep", "2.1.0", "2026-04-03T00:30:00.000Z", {})
    registry.publish("deep", "2.7.0", "2026-04-03T01:00:02.000Z", {})
    names = (
        "openclaw@2026.4.2",
        "%40openclaw/ai@2026.4.2",
        "%40openclaw/late@1.0.0",
        "ranged@1.0.0",
        "deep@2.1.0",
    )
    assert components(install(registry, tmp_path)) == {f"pkg:npm/{name}" for name in names}


def test_a_package_that_was_never_published_is_told_as_it_is(registry: Registry, tmp_path: Path) -> None:
    registry.publish("openclaw", "2026.4.2", "2026-04-02T22:40:51.130Z", {"ranged": "9.0.0"})
    with pytest.raises(HostError, match=r"No matching version found for ranged@9\.0\.0"):
        install(registry, tmp_path)

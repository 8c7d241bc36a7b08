"""A host with releases on which everything that takes long has been done before."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.openclaw.mission_control.plugins.module_utils._application.layout import Layout
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files, trees
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.builds import BuildCommands
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import (
    compose,
    links,
    recording,
    records,
    runtimes,
    source,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import plan as _plan
from ansible_collections.openclaw.mission_control.plugins.module_utils._release.plan import ReleaseSpec

TOKEN = "t" * 64
FILES = {
    "backend/uv.lock": "lock\n",
    "backend/pyproject.toml": "[project]\n",
    "backend/app/main.py": "app = 1\n",
    "backend/migrations/env.py": "pass\n",
    "frontend/package-lock.json": "{}\n",
    "frontend/package.json": "{}\n",
    "frontend/src/page.tsx": "page\n",
    "scripts/rq": "#!/usr/bin/env python\n",
}
# Of the frontend's build.
PAGES = (".next/static/chunks/main.js", ".next/server/app/page.js", ".next/server/app/index.html")
PYTHON = runtimes.Python(sys.executable, "3.12")


class World:
    """A host on which everything that takes long has been done before."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self.commands = BuildCommands(self.layout.log / "release.log", {"PATH": "/usr/bin:/bin"})
        self.spec = ReleaseSpec(
            revision=self.bring({}),
            components=("backend", "worker", "frontend"),
            backend_environment={"LOCAL_AUTH_TOKEN": TOKEN, "LOG_LEVEL": "INFO"},
            python=sys.executable,
            uv_version="1",
            node_version="24.0.0",
            frontend_environment={"NEXT_PUBLIC_API_URL": "http://a:8000"},
            libexec={"serve.py": "serve\n"},
            made_by="somebody@controller",
        )

    def bring(self, changes: dict[str, str]) -> str:
        store = source.SourceStore(self.layout.root)
        tree = self.layout.root / "working-copy"
        files.remove(tree)
        for name, text in {**FILES, **changes}.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        revision = trees.fingerprint(tree)
        files.remove(store.begin(revision) / "tree")
        tree.rename(store.partial(revision) / "tree")
        store.finish(revision, kind="directory", origin="/src", described="v1", required=source.REQUIRED)
        return revision

    def plan(self, spec: ReleaseSpec | None = None) -> _plan.Plan:
        return _plan.make_plan(self.layout, spec or self.spec, records.complete_releases(self.layout))

    def put_in_place(self, plan: _plan.Plan) -> None:
        layout = self.layout
        uv = runtimes.uv_program(layout, "1")
        uv.parent.mkdir(parents=True, exist_ok=True)
        uv.touch()
        node = runtimes.node_directory(layout, "24.0.0")
        node.mkdir(parents=True, exist_ok=True)
        (node / "npm").touch()
        if plan.environment_path is not None:
            (plan.environment_path / "bin").mkdir(parents=True, exist_ok=True)
            python = plan.environment_path / "bin" / "python"
            if not python.exists():
                python.symlink_to(self.spec.python)
            (plan.environment_path / ".complete.json").write_text("{}")
        if plan.frontend is not None:
            output = layout.frontend_build(plan.frontend.key) / f"output-{plan.frontend.fingerprint}"
            if not output.exists():
                (output / ".next" / "static").mkdir(parents=True)
                (output / "server.js").write_text(f"// {plan.frontend.fingerprint}\n")
                (output / ".next/BUILD_ID").write_text("build\n")
                for name in PAGES:
                    (output / name).parent.mkdir(parents=True, exist_ok=True)
                    (output / name).write_text("built\n")
                recording.record(output)

    def prepare(self, spec: ReleaseSpec | None = None) -> str:
        plan = self.plan(spec)
        self.put_in_place(plan)
        compose.prepare(self.layout, spec or self.spec, plan, self.commands)
        return plan.identifier

    def deploy(self, spec: ReleaseSpec | None = None) -> str:
        identifier = self.prepare(spec)
        links.switch(self.layout, identifier)
        return identifier

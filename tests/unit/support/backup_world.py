"""A host with a release, and a stand-in's repository of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import (
    configuration,
    making,
    points,
    restic,
    state,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from restic_program import install

SECRET = "keep-this-0123456789"


class World:
    """A host with a release and a repository of its own."""

    def __init__(self, place: Path) -> None:
        self.place, self.root = place, place / "root"
        directory = place / "state"
        directory.mkdir()
        (directory / "password").write_text(SECRET + "\n")
        release = self.root / "releases/one"
        (release / "backend").mkdir(parents=True)
        (release / "release.json").write_text(json.dumps({"id": "one", "revision": "r1"}))
        (release / "backend/.env").write_text("LOCAL_AUTH_TOKEN=t0ken\n")
        (self.root / "shared/identity").mkdir(parents=True)
        (self.root / "shared/identity/device.json").write_text("device one")
        (self.root / "current").symlink_to("releases/one")
        self.configuration = configuration.Configuration(
            repository=str(place / "repository"),
            host="mc1",
            environment="test",
            user=find_account().name,
            root=str(self.root),
            parts=("settings",),
            directory=directory,
        )
        self.restic = restic.Restic(self.configuration, program=str(install(place / "bin")))

    def make(self, moment: float = 1_790_000_000.0, **more: Any) -> dict[str, Any]:
        return making.make(self.configuration, self.restic, now=lambda: moment, **more)

    def points(self) -> list[points.Point]:
        return points.list_points(self.restic)

    @property
    def state(self) -> dict[str, Any]:
        return state.read_state(self.configuration.directory)

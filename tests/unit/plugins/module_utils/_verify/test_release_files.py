"""A release that was changed after it was deployed: told by the check configuration, and what it explains."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.installation import (
    Installation,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import recording
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import release_files
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.causes import find_causes
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import configuration
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict, combine
from checks_support import make_context, options_of

FILES = {
    "backend/app/main.py": "app\n",
    "backend/.env": "LOG_LEVEL=INFO\n",
    "scripts/rq": "rq\n",
    "frontend/server.js": "server\n",
    "frontend/.next/static/a.js": "a\n",
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    found = tmp_path / "releases/one"
    for name, text in FILES.items():
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text(text)
    (found / "backend/.env").chmod(0o600)
    for part in ("backend", "scripts", "frontend"):
        recording.record(found / part)
    (tmp_path / "current").symlink_to("releases/one")
    return found


def context_of(release: Path) -> Any:
    context = make_context()
    root = release.parents[1]
    context.host = Installation(
        user="", root=str(root), env_file=f"{root}/current/backend/.env", redactor=context.redactor
    )
    return context


def judged(release: Path) -> dict[str, Verdict]:
    return {verdict.name: verdict for verdict in release_files.judge_release(context_of(release))}


def test_what_nobody_changed_is_healthy(release: Path) -> None:
    (release / "backend/.env").write_text("LOG_LEVEL=DEBUG\n")  # has a judgment of its own
    (release / "backend/app/new.py").touch()
    found = judged(release)
    assert set(found) == {"release backend", "release frontend"}
    assert all(verdict.healthy for verdict in found.values())


@pytest.mark.parametrize(
    ("change", "part", "told"),
    [
        (
            lambda path: (path / "backend/app/main.py").write_text("other\n"),
            "backend",
            "backend/app/main.py was changed",
        ),
        (lambda path: (path / "scripts/rq").unlink(), "backend", "scripts/rq is missing"),
        (
            lambda path: files.remove(path / "frontend/.next"),
            "frontend",
            "frontend/.next/static/a.js is missing",
        ),
    ],
)
def test_what_was_changed_is_named_and_deploying_cures_it(
    release: Path, change: Callable[[Path], object], part: str, told: str
) -> None:
    change(release)
    found = judged(release)
    wrong = [verdict for verdict in found.values() if not verdict.healthy]
    assert [verdict.name for verdict in wrong] == [f"release {part}"]
    assert (wrong[0].state, wrong[0].kind, wrong[0].cure.by) == ("fail", "release_changed", "deploy")
    assert told in wrong[0].summary


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a release to another user")
def test_a_release_of_somebody_else_is_told_while_it_runs_and_where_its_settings_cannot_be_read(
    release: Path,
) -> None:
    for path in (release, *release.rglob("*")):
        os.chown(path, 1234, 1234, follow_symlinks=False)
    assert "the release belongs to the user number 1234" in judged(release)["release backend"].summary
    (release / "backend/.env").unlink()
    verdict = configuration.run(context_of(release), options_of("configuration"))
    assert {part.kind for part in verdict.checks} == {"release_changed"}


def test_nothing_is_known_without_a_release_or_what_it_consists_of(release: Path, tmp_path: Path) -> None:
    for part in ("backend", "scripts", "frontend"):
        (release / part / ".files.json").unlink()
    (release / "scripts/rq").unlink()
    assert all(verdict.healthy for verdict in judged(release).values())
    (tmp_path / "current").unlink()
    assert judged(release) == {}


def roots(*found: Verdict) -> set[str]:
    find_causes(found, ROWS)
    return {
        path
        for verdict in found
        for path, leaf in verdict.leaves()
        if leaf.state == "fail" and not leaf.consequence_of
    }


def changed(part: str) -> Verdict:
    return Verdict(
        f"release {part}", "fail", kind="release_changed", evidence={"unit": f"mission-control-{part}"}
    )


def test_it_is_the_cause_of_what_fails_for_it_and_of_nothing_else() -> None:
    def service(name: str) -> Verdict:
        return combine("service", [combine(name, [Verdict("active", "fail", kind="crash_loop")])])

    def page(*kinds: str) -> Any:
        return combine("frontend", [Verdict(kind, "fail", kind=kind) for kind in kinds])

    api = combine("health", [Verdict("readyz", "fail", kind="refused")])
    backend, frontend = (combine("configuration", [changed(part)]) for part in ("backend", "frontend"))
    assert roots(service("mission-control-backend"), api, backend) == {"configuration.release backend"}
    assert roots(page("assets_broken", "api_url_differs"), frontend) == {"configuration.release frontend"}
    api = combine("health", [Verdict("readyz", "fail", kind="refused")])
    frontend = combine("configuration", [changed("frontend")])
    assert roots(service("mission-control-backend"), api, frontend) == {
        "configuration.release frontend",
        "service.mission-control-backend.active",
    }


def test_an_interpreter_that_an_upgrade_took_away(tmp_path: Path) -> None:
    place = tmp_path / "backend/.venv/bin"
    place.mkdir(parents=True)
    assert release_files._interpreter(tmp_path) == ""
    python = tmp_path / "python3.99"
    python.touch()
    (place / "python").symlink_to(python)
    assert release_files._interpreter(tmp_path) == ""
    python.unlink()
    assert release_files._interpreter(tmp_path) == str(python)
    (verdict,) = release_files._judge_interpreter(str(python))
    assert verdict.kind == "interpreter_missing" and verdict.cure.by == "deploy"
    assert release_files._judge_interpreter("") == []

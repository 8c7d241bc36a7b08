"""Releases: names, composition, switching, pruning. What registries would give is put in place before."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils import _bundle
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import (
    release_parts,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import identity
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files, trees
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import (
    build,
    choice,
    compose,
    frontend,
    integrity,
    links,
    outcome,
    pruning,
    records,
    runtimes,
    source,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import plan as _plan
from ansible_collections.openclaw.mission_control.plugins.module_utils._release.plan import ReleaseSpec
from release_world import TOKEN, World

NOBODY = 65534
SYSTEM_PYTHON = Path("/usr/bin/python3")


def as_nobody(work: Callable[[], list[str]]) -> list[str]:
    """What work returns in a child that has no rights."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writer, json.dumps(work()).encode())
        except BaseException:
            os.write(writer, json.dumps([traceback.format_exc()]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    found: list[str] = json.loads(text)
    return found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    # The tests may run on an older Python than the product needs.
    monkeypatch.setattr(runtimes, "MINIMUM_PYTHON", (3, 11))
    return World(tmp_path / "root")


def test_the_worker_runs_the_backends_part() -> None:
    assert release_parts.parts_of(["worker"]) == ("backend",)
    assert release_parts.parts_of(["frontend", "backend"]) == ("backend", "frontend")


def test_what_is_built_holds_for_all_settings_of_the_backend(world: World) -> None:
    without = replace(world.spec, backend_environment={})
    plan = world.plan(without)
    assert plan.build_steps == world.plan().build_steps
    assert any("build the frontend" in step for step in plan.build_steps)
    world.put_in_place(plan)
    build.build(world.layout, without, plan, world.commands)
    assert identity.read(world.layout.identity) is None
    told = world.plan()
    assert told.build_steps == [] and [step.split()[0] for step in told.own_steps] == ["make", "compose"]


def test_a_fresh_host_needs_everything_and_nothing_is_done_by_planning(world: World) -> None:
    before = sorted(world.layout.root.rglob("*"))
    steps = " / ".join(world.plan().steps)
    for step in (
        "install uv",
        "backend's packages",
        "identity",
        "Node.js",
        "npm ci",
        "build the frontend",
        "compose",
    ):
        assert step in steps
    assert sorted(world.layout.root.rglob("*")) == before


def test_a_composed_release_is_complete_and_says_what_it_is(world: World) -> None:
    identifier = world.prepare()
    path = world.layout.release(identifier)
    assert path.name == identifier and identifier.startswith(world.spec.revision[:12] + "-")
    environment = path / "backend/.env"
    assert environment.stat().st_mode & 0o777 == 0o600
    assert f"LOCAL_AUTH_TOKEN={TOKEN}" in environment.read_text()
    assert f"OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH={world.layout.identity}" in environment.read_text()
    assert (path / "backend/.venv/bin/python").exists()
    assert list((path / "backend/app/__pycache__").glob("main.*.pyc"))
    assert (path / "scripts/rq").exists()
    assert (path / "frontend/server.js").exists()
    assert (path / "frontend/.node").readlink() == world.layout.runtime("node", "24.0.0")
    text = (path / "release.json").read_text()
    told = json.loads(text)
    assert (told["id"], told["revision"], told["created_by"]) == (
        identifier,
        world.spec.revision,
        "somebody@controller",
    )
    assert told["components"] == ["backend", "worker", "frontend"]
    assert set(told["fingerprints"]) == {"backend", "frontend"}
    assert TOKEN not in text
    assert (world.layout.libexec / "serve.py").read_text() == "serve\n"
    assert world.plan().steps == []


def test_out_of_a_bundle_nothing_is_built_and_the_release_has_the_same_name(
    world: World, tmp_path: Path
) -> None:
    name = world.plan().identifier
    spec = replace(world.spec, bundle=tmp_path / "bundle")
    plan = world.plan(spec)
    assert plan.identifier == name and plan.frontend is not None
    assert "take the frontend out of the bundle" in plan.steps and "npm" not in " ".join(plan.steps)
    world.put_in_place(plan)
    output = world.layout.frontend_build(plan.frontend.key) / f"output-{plan.frontend.fingerprint}"
    part = tmp_path / "bundle/parts" / _bundle.part_name("frontend", plan.frontend.fingerprint)
    part.parent.mkdir(parents=True)
    _bundle.pack_directory(output, part)
    files.remove(output)
    compose.prepare(world.layout, spec, world.plan(spec), world.commands)
    assert (world.layout.release(name) / "frontend/server.js").exists()
    assert world.plan(spec).steps == [] and world.plan().steps == []
    assert not list(world.layout.shared.glob(".bundle*"))


def test_a_bundle_without_the_frontend_is_told_before_a_release_is_there(
    world: World, tmp_path: Path
) -> None:
    spec = replace(world.spec, bundle=tmp_path / "bundle")
    plan = world.plan(spec)
    world.put_in_place(plan)
    assert plan.frontend is not None
    files.remove(world.layout.frontend_build(plan.frontend.key))
    with pytest.raises(DeploymentError, match=r"has no frontend-\w+\.tar\.gz") as caught:
        compose.prepare(world.layout, spec, world.plan(spec), world.commands)
    assert "playbooks/bundle.yml" in caught.value.remedy
    assert records.complete_releases(world.layout) == {}


def change(**values: object) -> Callable[[World], ReleaseSpec]:
    return lambda world: replace(world.spec, **values)  # type: ignore[arg-type]


def source_change(name: str) -> Callable[[World], ReleaseSpec]:
    return lambda world: replace(world.spec, revision=world.bring({name: "changed\n"}))


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        (source_change("backend/app/main.py"), {"backend"}),
        (source_change("scripts/rq"), {"backend"}),
        (source_change("backend/uv.lock"), {"backend"}),
        (source_change("frontend/src/page.tsx"), {"frontend"}),
        (source_change("frontend/package-lock.json"), {"frontend"}),
        (source_change("README.md"), set()),
        (change(backend_environment={"LOCAL_AUTH_TOKEN": TOKEN, "LOG_LEVEL": "DEBUG"}), {"backend"}),
        (change(backend_environment={"LOCAL_AUTH_TOKEN": "u" * 64, "LOG_LEVEL": "INFO"}), {"backend"}),
        (change(uv_version="2"), {"backend"}),
        (change(frontend_environment={"NEXT_PUBLIC_API_URL": "http://b:8000"}), {"frontend"}),
        (change(node_version="25.0.0"), {"frontend"}),
        (change(fonts="download"), {"frontend"}),
        (change(made_by="another", libexec={}), set()),
    ],
)
def test_exactly_the_part_whose_inputs_changed_is_new(
    world: World, changed: Callable[[World], ReleaseSpec], parts: set[str]
) -> None:
    before = world.plan()
    spec = changed(world)
    after = world.plan(spec)
    assert {
        part for part in before.fingerprints if before.fingerprints[part] != after.fingerprints[part]
    } == parts
    same_source = spec.revision == world.spec.revision
    assert (before.identifier == after.identifier) is (same_source and not parts)


def test_a_frontend_that_did_not_change_is_linked_not_built(world: World) -> None:
    first = world.deploy()
    world.spec = replace(world.spec, revision=world.bring({"backend/app/main.py": "changed\n"}))
    # Even with the build's own result gone, the earlier release has it.
    files.remove(world.layout.shared / "frontend-build")
    plan = world.plan()
    assert not [step for step in plan.steps if "front" in step or "Node" in step]
    compose.prepare(world.layout, world.spec, plan, world.commands)
    one = world.layout.release(first) / "frontend/server.js"
    two = world.layout.release(plan.identifier) / "frontend/server.js"
    assert one.stat().st_ino == two.stat().st_ino


def test_what_an_interrupted_run_left_is_replaced(world: World) -> None:
    plan = world.plan()
    partial = world.layout.releases / f".{plan.identifier}.partial"
    (partial / "backend").mkdir(parents=True)
    (partial / "backend/half").touch()
    final = world.layout.release(plan.identifier)
    final.mkdir()  # without a description it is no release
    assert records.complete_releases(world.layout) == {}
    world.prepare()
    assert sorted(path.name for path in final.iterdir()) == ["backend", "frontend", "release.json", "scripts"]
    assert not partial.exists()


def test_a_failed_composition_leaves_nothing(world: World) -> None:
    plan = world.plan()
    world.put_in_place(plan)
    assert plan.environment_path is not None
    (plan.environment_path / "bin/python").unlink()
    (plan.environment_path / "bin/python").symlink_to("/bin/false")
    with pytest.raises(DeploymentError, match="Compiling the backend failed"):
        compose.prepare(world.layout, world.spec, plan, world.commands)
    assert list(world.layout.releases.iterdir()) == []


def test_a_source_that_is_not_there_is_told(world: World) -> None:
    with pytest.raises(DeploymentError, match="is not on this host"):
        world.plan(replace(world.spec, revision="f" * 64))


def edit(text: str, place: str = "backend/.env") -> Callable[[Path], object]:
    return lambda release: (release / place).write_text((release / place).read_text() + text)


@pytest.mark.parametrize(
    ("change_by_hand", "part", "told"),
    [
        (edit("CORS_ORIGINS=https://x/\n"), "backend", "backend/.env was changed (CORS_ORIGINS)"),
        (edit("# a remark\n"), "backend", "backend/.env was changed"),
        (lambda path: (path / "backend/.env").chmod(0o644), "backend", "has mode 0644"),
        (lambda path: (path / "backend/.env").unlink(), "backend", "backend/.env cannot be read"),
        (edit("app = 2\n", "backend/app/main.py"), "backend", "backend/app/main.py was changed"),
        (lambda path: (path / "scripts/rq").unlink(), "backend", "scripts/rq is missing"),
        (lambda path: (path / "scripts/rq").chmod(0o755), "backend", "scripts/rq was changed"),
        (lambda path: (path / "backend/.venv").unlink(), "backend", "backend/.venv does not lead to"),
        (lambda path: (path / "frontend/server.js").unlink(), "frontend", "frontend/server.js is missing"),
        (lambda path: (path / "frontend/.node").unlink(), "frontend", "frontend/.node does not lead to"),
        (
            lambda path: files.remove(path / "frontend/.next/static/chunks"),
            "frontend",
            "frontend/.next/static/chunks/main.js is missing",
        ),
        (
            lambda path: files.write_atomically(path / "frontend/.next/server/app/page.js", "other\n"),
            "frontend",
            "frontend/.next/server/app/page.js was changed",
        ),
        (
            lambda path: (path / "frontend/.next/server/app/index.html").unlink(),
            "frontend",
            "frontend/.next/server/app/index.html is missing",
        ),
        (lambda path: (path / "backend/app/main.py").chmod(0), "backend", "backend/app/main.py was changed"),
    ],
)
def test_what_was_changed_by_hand_is_replaced_by_the_same_beside_it(
    world: World, change_by_hand: Callable[[Path], object], part: str, told: str
) -> None:
    before = world.plan()
    first = world.deploy()
    change_by_hand(world.layout.release(first))
    changed = trees.fingerprint(world.layout.release(first), ())
    plan = world.plan()
    assert told in "; ".join(plan.drift) and len(plan.drift) == 1
    assert plan.own_steps == [f"compose release {plan.identifier} again, as {plan.drift[0]}"]
    # Only the services of what was changed start anew.
    assert {name for name in before.fingerprints if before.fingerprints[name] != plan.fingerprints[name]} == {
        part
    }
    second = world.deploy()
    assert second == plan.identifier != first
    assert trees.fingerprint(world.layout.release(first), ()) == changed
    # It stays so, also without the one that was changed, and is done once more for the next change.
    assert world.plan().steps == [] and world.plan().identifier == second
    outcome.mark(world.layout, second, "verified", "somebody", "")
    assert outcome.supersede(world.layout, second, "somebody")
    assert not outcome.supersede(world.layout, second, "somebody")
    assert records.outcome(records.complete_releases(world.layout)[first]) == "failed"
    files.remove(world.layout.release(first))
    assert world.plan().steps == [] and world.plan().identifier == second
    (world.layout.release(second) / "backend/.env").chmod(0o640)
    third = world.deploy()
    assert third not in (first, second) and world.plan().steps == []


def test_a_changed_release_is_still_what_a_failure_leads_back_to(world: World) -> None:
    """Until the one that takes its place has passed its gate."""
    first = world.deploy()
    outcome.mark(world.layout, first, "verified", "somebody", "")
    edit("LOG_LEVEL=DEBUG\n")(world.layout.release(first))
    second = world.prepare()
    releases = records.complete_releases(world.layout)
    assert choice.fallback_from(releases, second, first) == first
    assert releases[second]["drift"] == ["backend/.env was changed (LOG_LEVEL)"]
    assert TOKEN not in json.dumps(releases)


def test_what_the_application_writes_beside_its_files_is_no_change(world: World) -> None:
    identifier = world.deploy()
    (world.layout.release(identifier) / "backend/log.txt").write_text("one\n")
    main = world.layout.release(identifier) / "backend/app/main.py"
    os.utime(main, (1, 1))
    frontend_of = world.layout.release(identifier) / "frontend"
    # The server makes such a page anew, keeps what it fetched, and a time alone says nothing.
    files.write_atomically(frontend_of / ".next/server/app/index.html", "made anew\n")
    (frontend_of / ".next/cache").mkdir(exist_ok=True)
    (frontend_of / ".next/cache/one").touch()
    os.utime(frontend_of / ".next/static/chunks/main.js", (1, 1))
    assert world.plan().steps == []


def test_who_writes_into_a_file_of_the_frontend_has_changed_the_build_too(world: World) -> None:
    """They are one file with two names: it is built anew."""
    first = world.deploy()
    with (world.layout.release(first) / "frontend/.next/server/app/page.js").open("a") as page:
        page.write("and more\n")
    plan = world.plan()
    assert plan.drift == ["frontend/.next/server/app/page.js was changed"]
    assert plan.build_steps[-1] == "build the frontend"


def test_a_frontend_of_which_nothing_is_written_down_is_known_by_what_every_server_has(world: World) -> None:
    first = world.deploy()
    frontend_of = world.layout.release(first) / "frontend"
    for text in ("", "[]", '{"server.js": 1}'):
        files.write_atomically(frontend_of / integrity.NAME, text)
        told = world.plan().drift
        assert told == (["frontend/server.js was changed"] if "server" in text else [])
    (frontend_of / integrity.NAME).unlink()
    (frontend_of / ".next/BUILD_ID").unlink()
    assert world.plan().drift == ["frontend/.next/BUILD_ID is missing or cannot be read (or not in time)"]


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_release_that_belongs_to_somebody_else_is_replaced(world: World) -> None:
    first = world.deploy()
    os.chown(world.layout.release(first) / "backend", 1234, 1234)
    assert world.plan().drift == ["backend belongs to the user number 1234"]
    assert world.deploy() != first and world.plan().steps == []


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
@pytest.mark.parametrize("place", ["frontend/.next/static/chunks/main.js", "backend/app", "scripts/rq"])
def test_a_single_file_of_somebody_else_is_found_and_not_linked_again(world: World, place: str) -> None:
    first = world.deploy()
    os.chown(world.layout.release(first) / place, 1234, 1234)
    assert world.plan().drift == [f"{place} belongs to the user number 1234"]
    second = world.deploy()
    assert second != first and world.plan().steps == []
    assert (world.layout.release(second) / place).stat().st_uid == os.geteuid()


def test_switching_is_one_renaming_and_keeps_the_guides_paths(world: World) -> None:
    first = world.prepare()
    assert world.layout.current_release is None
    assert links.switch(world.layout, first) == {"previous": None, "changed": True}
    root = world.layout.root
    assert str(root.joinpath("current").readlink()) == f"releases/{first}"
    assert (root / "backend/.venv/bin/python").exists()
    assert (root / "frontend/server.js").exists() and (root / "scripts/rq").exists()
    assert links.switch(world.layout, first) == {"previous": first, "changed": False}
    world.spec = replace(world.spec, uv_version="1", backend_environment={"LOCAL_AUTH_TOKEN": TOKEN})
    second = world.prepare()
    assert world.layout.current_release == first
    assert links.switch(world.layout, second) == {"previous": first, "changed": True}
    assert (root / "backend").resolve() == world.layout.release(second) / "backend"


def test_a_part_that_moved_to_another_host_leaves_no_link(world: World) -> None:
    world.deploy()
    (world.layout.root / "scripts.mine").symlink_to("current/scripts")
    alone = replace(world.spec, components=("backend", "worker"))
    identifier = world.prepare(alone)
    assert links.stale_links(world.layout, identifier) == ["frontend"]
    assert links.switch(world.layout, identifier)["changed"]
    assert sorted(path.name for path in world.layout.root.iterdir() if path.is_symlink()) == [
        "backend",
        "current",
        "scripts",
        "scripts.mine",
    ]
    assert not links.switch(world.layout, identifier)["changed"]


def test_a_link_left_half_way_is_no_obstacle(world: World) -> None:
    identifier = world.prepare()
    (world.layout.root / ".current.new").symlink_to("nowhere")
    links.switch(world.layout, identifier)
    assert links.wrong_links(world.layout, identifier) == {}


def test_an_incomplete_release_cannot_become_current(world: World) -> None:
    identifier = world.prepare()
    (world.layout.release(identifier) / "release.json").unlink()
    with pytest.raises(DeploymentError, match="no complete release"):
        links.switch(world.layout, identifier)
    assert world.layout.current_release is None


def test_what_somebody_put_there_by_hand_is_not_replaced(world: World) -> None:
    identifier = world.prepare()
    (world.layout.root / "backend").mkdir()
    with pytest.raises(DeploymentError, match="backend would have to become a link"):
        links.switch(world.layout, identifier)
    assert world.layout.current_release is None


def test_a_role_alone_carries_the_other_part_over(world: World) -> None:
    both = world.deploy()
    alone = replace(
        world.spec, components=("backend",), carry_over=True, frontend_environment={}, node_version=""
    )
    # Nothing of its own changed: the same release, the frontend is not lost.
    plan = world.plan(alone)
    assert plan.identifier == both
    assert plan.components == ("backend", "worker", "frontend")
    changed = replace(alone, backend_environment={"LOCAL_AUTH_TOKEN": TOKEN, "LOG_LEVEL": "DEBUG"})
    identifier = world.deploy(changed)
    assert identifier != both
    told = records.complete_releases(world.layout)[identifier]
    assert told["carried_over"] == ["frontend"]
    assert (told["node"], told["frontend"]["build"]) == ("24.0.0", world.plan().frontend.key)  # type: ignore[union-attr]
    assert (world.layout.root / "frontend/server.js").exists()
    assert "DEBUG" in (world.layout.root / "backend/.env").read_text()


def test_a_frontend_alone_carries_the_backend_with_its_settings(world: World) -> None:
    world.deploy()
    alone = replace(
        world.spec,
        components=("frontend",),
        carry_over=True,
        backend_environment={},
        frontend_environment={"NEXT_PUBLIC_API_URL": "http://b:8000"},
    )
    world.deploy(alone)
    environment = world.layout.root / "backend/.env"
    assert TOKEN in environment.read_text()
    assert environment.stat().st_mode & 0o777 == 0o600
    assert (world.layout.root / "backend/.venv/bin/python").exists()


def deployed(world: World, number: int) -> list[str]:
    names = []
    for step in range(number):
        world.spec = replace(world.spec, backend_environment={"LOCAL_AUTH_TOKEN": TOKEN, "STEP": step})
        names.append(world.deploy())
        path = world.layout.release(names[-1]) / "release.json"
        told = json.loads(path.read_text())
        told["created"] = f"2026-01-01T00:00:{step:02}Z"
        path.write_text(json.dumps(told))
    return names


def test_pruning_keeps_the_newest_the_current_the_running_and_the_protected(world: World) -> None:
    names = deployed(world, 6)
    links.switch(world.layout, names[0])
    removed = pruning.prune(world.layout, keep=2, running=[names[1]], protect=[names[2]])
    assert removed == [names[3]]
    assert list(records.complete_releases(world.layout)) == [
        names[0],
        names[1],
        names[2],
        names[4],
        names[5],
    ]


def test_pruning_takes_what_only_the_removed_needed(world: World) -> None:
    old = world.deploy()
    store = source.SourceStore(world.layout.root)
    old_revision = world.spec.revision
    world.spec = replace(
        world.spec,
        revision=world.bring({"backend/uv.lock": "new\n", "frontend/package-lock.json": '{"a": 1}\n'}),
    )
    new = world.deploy()
    (world.layout.releases / ".interrupted.partial").mkdir()
    path = world.layout.release(old) / "release.json"
    path.write_text(path.read_text().replace('"created": "20', '"created": "10'))
    pruning.prune(world.layout, keep=1, running=[])
    assert [path.name for path in world.layout.releases.iterdir()] == [new]
    assert store.description(old_revision) is None and store.description(world.spec.revision) is not None
    plan = world.plan()
    assert list((world.layout.shared / "python").iterdir()) == [plan.environment_path]
    assert plan.frontend is not None
    assert [path.name for path in (world.layout.shared / "frontend-build").iterdir()] == [plan.frontend.key]
    assert plan.steps == []


def test_at_least_one_release_is_kept(world: World) -> None:
    names = deployed(world, 2)
    assert pruning.prune(world.layout, keep=0, running=[]) == [names[0]]


@pytest.mark.skipif(
    os.geteuid() != 0 or not SYSTEM_PYTHON.exists(),
    reason="gives a release to root, and acts as another user, who has the system's Python alone",
)
def test_what_somebody_else_owns_keeps_no_deployment_from_its_end(world: World, tmp_path: Path) -> None:
    """As after `chown -R root` of the release that serves."""
    world.spec = replace(world.spec, python=str(SYSTEM_PYTHON))
    first = world.deploy()
    record = world.layout.release(first) / "release.json"
    record.write_text(record.read_text().replace('"created": "20', '"created": "10'))
    for path in tmp_path.parents:
        if path == Path(tempfile.gettempdir()):
            break
        path.chmod(0o711)
    for path in [tmp_path, *tmp_path.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    for path in [world.layout.release(first), *world.layout.release(first).rglob("*")]:
        os.chown(path, 0, 0, follow_symlinks=False)

    def act() -> list[str]:
        second = world.deploy()
        assert second != first and world.plan().steps == []
        outcome.mark(world.layout, second, "verified", "somebody", "")
        assert not outcome.supersede(world.layout, second, "somebody")
        assert pruning.prune(world.layout, keep=1, running=[]) == [first]
        assert world.layout.current_release == second
        return pruning.stuck(world.layout)

    assert [Path(path).name for path in as_nobody(act)] == [f".{first}.removed"]


def test_the_release_a_process_works_in_is_found(world: World) -> None:
    identifier = world.deploy()
    assert pruning.running_releases(world.layout) == set()
    with subprocess.Popen(["sleep", "60"], cwd=world.layout.current / "backend") as process:
        found = pruning.running_releases(world.layout)
        process.kill()
    assert found == {identifier}


def test_settings_are_compared_without_secrets(world: World) -> None:
    world.deploy()
    changed = replace(world.spec, backend_environment={"LOCAL_AUTH_TOKEN": "n" * 64, "LOG_LEVEL": "DEBUG"})
    difference = _plan.environment_difference(world.layout, world.plan(changed))
    assert "LOG_LEVEL=INFO" in difference["before"] and "LOG_LEVEL=DEBUG" in difference["after"]
    assert "LOCAL_AUTH_TOKEN=******** (changed)" in difference["after"]
    assert TOKEN not in str(difference) and "n" * 64 not in str(difference)


def test_start_programs_are_compared_by_content(world: World) -> None:
    assert _plan.stale_libexec(world.layout, world.spec) == ["serve.py"]
    world.prepare()
    assert _plan.stale_libexec(world.layout, world.spec) == []
    (world.layout.libexec / "serve.py").write_bytes(b"\xff")
    assert _plan.stale_libexec(world.layout, world.spec) == ["serve.py"]


def test_other_directories_are_no_releases(world: World) -> None:
    identifier = world.deploy()
    (world.layout.releases / "backup").mkdir()
    copy = world.layout.releases / "111111111111-11111111"
    trees.copy(world.layout.release(identifier), copy)  # its description names another
    assert list(records.complete_releases(world.layout)) == [identifier]
    assert copy.exists()


def test_the_frontends_result_is_found_wherever_it_is(world: World) -> None:
    plan = world.plan()
    assert plan.frontend is not None
    assert frontend.built(world.layout, plan.frontend.fingerprint, {}) is None
    world.put_in_place(plan)
    found = frontend.built(world.layout, plan.frontend.fingerprint, {})
    assert found is not None and found.parent.name == plan.frontend.key

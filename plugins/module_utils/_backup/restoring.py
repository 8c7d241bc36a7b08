# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore point back onto the host, with the way back written down before anything is changed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .._application import migrations
from .._application.layout import Layout
from .._database import extensions, schema, streaming, target
from .._database import restore as database_restore
from .._database.administrator import identifier
from .._database.commands import DatabaseCommands
from .._database.few import few_rows
from .._host import comparing, files, moving, privileges
from .._host.accounts import Account
from .._host.clean_environment import application_environment
from .._host.deployment_errors import DeploymentError
from .._host.logged_commands import NO_LOG
from .._times.record_stamps import name_stamp
from . import archive, fetching, point_in_time, points, room, state, streams
from .configuration import DATABASE, GATEWAY, PARTS, SETTINGS, Configuration
from .one_file import restore_one
from .owners import SILENCE, by_owner
from .places import before_of, gateway_root, keep_file, owner_of, state_place
from .repository import alone
from .restic import Restic

WAY_BACK = "restoration"
# Seconds in which a database is restored.
_RESTORED = 7200.0


# --- what would be done ---


def plan(
    configuration: Configuration, restic: Restic, options: Mapping[str, Any], now: float
) -> dict[str, Any]:
    """Which point, what comes back, what would be lost, and what stands in the way. Changes nothing."""
    point = points.chosen(restic, snapshot=options["snapshot"] or "", time=options["time"] or "", now=now)
    manifest = points.read_manifest(restic, point)
    wanted = _parts(options, manifest, configuration)
    answer: dict[str, Any] = {
        "point": point.told(),
        "manifest": manifest,
        "parts": wanted,
        "rows": [],
        "migrates": False,
    }
    if options["file"]:
        return answer
    if DATABASE in wanted:
        root, part = configuration.root_directory, manifest["parts"][DATABASE]
        release = str(options.get("release") or "")
        user = configuration.account.name
        answer.update(by_owner(user, lambda account: _look(root, account, part, release)))
        if configuration.own_server:
            room.need_room_of_server(part, "The restoration of the database")
        if configuration.wal and options["time"]:
            answer["moment"] = point_in_time.wanted_moment(options["time"], now, archive.taken())
            point_in_time.need_room(configuration)
            _need_room_for_files(configuration, DATABASE, part, Layout(root).backups)
    for name in wanted:
        if name != DATABASE:
            shared = Layout(configuration.root_directory).shared
            place = state_place(configuration).parent if name == GATEWAY else shared
            _need_room_for_files(configuration, name, manifest["parts"][name], place)
    return answer


def _need_room_for_files(
    configuration: Configuration, name: str, part: Mapping[str, Any], place: Path
) -> None:
    """What comes back lies beside what is there for a while."""
    needed = int(part["bytes"] * 1.1) + (64 << 20)
    what = f"The restoration ({name})"
    by_owner(owner_of(configuration, name), lambda _account: room.need_room(place, needed, what))


def _parts(
    options: Mapping[str, Any], manifest: Mapping[str, Any], configuration: Configuration
) -> list[str]:
    there = [part for part in PARTS if part in manifest["parts"]]
    given = list(options["parts"] or [])
    lacking = [part for part in given if part not in there]
    if options.get("present_only"):
        given, lacking = [part for part in given if part in there], []
        return [part for part in given if part in configuration.parts]
    if lacking:
        raise DeploymentError(
            f"parts: the restore point {manifest['name']} has no {', '.join(lacking)}.",
            kind="no_such_part",
            remedy=f"It has {', '.join(there)}.",
        )
    return [part for part in there if (part in given or not given) and part in configuration.parts]


def _look(root: Path, account: Account, part: Mapping[str, Any], release: str) -> dict[str, Any]:
    """The database as it is beside what the point has of it, as the application's user."""
    layout = Layout(root)
    values, redactor = streams.deployed_settings(layout, release)
    then = list(part["schema"])
    head = _head(layout, release, then)
    connection = streams.connect(values.get("DATABASE_URL", ""), redactor, "mission-control-restore")
    try:
        # What belongs to others can be neither replaced nor counted.
        login = target.target(values.get("DATABASE_URL", ""))
        quiet = DatabaseCommands(NO_LOG, application_environment(account), redactor=redactor)
        database_restore.check_rights(login, quiet)
        cursor = connection.cursor()
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        version = cursor.fetchone()[0]
        rows = streams.counts(cursor)
        _need_extensions(cursor, part.get("extensions") or [])
    finally:
        connection.close()
    if part["server"] > version:
        raise DeploymentError(
            f"The restore point comes from PostgreSQL {part['server']}, and this is PostgreSQL {version}.",
            kind="older_server",
            remedy=f"Provide PostgreSQL {part['server']} or newer.",
        )
    tables = sorted({*rows, *part["rows"]})
    return {
        "rows": [
            {"table": table, "now": rows.get(table), "then": part["rows"].get(table)} for table in tables
        ],
        "migrates": then != [head],
    }


def _head(layout: Layout, release: str, then: Sequence[str]) -> str:
    """The schema of the release, which has to know that of the restore point."""
    identifier = release or layout.current_release or "-"
    graph = migrations.read_graph(migrations.directory_of(layout.release(identifier) / "backend"))
    if any(revision not in graph.revisions for revision in then):
        raise DeploymentError(
            f"The restore point has the schema {', '.join(then)}, which the release "
            f"{identifier} does not know.",
            kind="newer_schema",
            remedy="Deploy the release that it was made with (mission_control_revision) and restore then, or "
            "choose an older restore point.",
        )
    return schema.single_head(graph)


def _need_extensions(cursor: Any, wanted: Sequence[str]) -> None:
    """What the dump will create has to be there, or to be the login's to create."""
    if not wanted:
        return
    told = few_rows(cursor, extensions.COLUMNS, extensions.SOURCE, rows=10_000)
    there = {row[0]: extensions.Extension(row[1] == "true", row[2] == "true") for row in told}
    for name in wanted:
        found = there.get(name)
        if found is None or not (found.created or found.creatable):
            raise DeploymentError(
                f"The restore point has the extension {name}, which "
                + ("this server does not have." if found is None else "a superuser only may create."),
                kind="extension_right",
                remedy="Nothing was changed. Have the database's administrator "
                + (
                    "install it."
                    if found is None
                    else f"run once in it: CREATE EXTENSION {identifier(name)};"
                ),
            )


# --- doing it ---


def restore(
    configuration: Configuration, restic: Restic, options: Mapping[str, Any], *, check: bool
) -> dict[str, Any]:
    """What the module backup_restore does."""
    now = time.time()
    with alone(configuration, "restoration"):
        answer = plan(configuration, restic, options, now)
        manifest = answer.pop("manifest")
        answer["release"] = manifest.get("release", "")
        answer["changed"] = True
        if options["file"]:
            answer["files"] = (
                [] if check else restore_one(configuration, restic, manifest, options["file"], now)
            )
            return answer
        if check:
            return answer
        way: dict[str, Any] = {"stamp": name_stamp(now), "point": manifest["name"]}
        for part in answer["parts"]:
            # Before it is done: who is interrupted in it finds the way back.
            way[part] = _predicted(configuration, part, now)
            state.note(configuration.directory, **{WAY_BACK: {**way, "doing": part}})
            restorer = _RESTORERS[part]
            if part == DATABASE:
                restorer = partial(
                    _restore_database,
                    release=str(options.get("release") or ""),
                    moment=answer.get("moment"),
                )
            way[part] = restorer(configuration, restic, manifest["parts"][part], now)
            answer["migrates"] = way[part].pop("migrates", answer["migrates"])
        state.note(configuration.directory, **{WAY_BACK: {**way, "doing": ""}})
        answer["kept"] = {part: way[part] for part in answer["parts"]}
        return answer


def _predicted(configuration: Configuration, part: str, now: float) -> dict[str, Any]:
    """Where what is there will be kept."""
    if part == DATABASE:
        return {"schema": database_restore.kept_name(now)}
    before = str(before_of(state_place(configuration), now)) if part == GATEWAY else ""
    return {"state": before, "files": []}


def _restore_database(
    configuration: Configuration,
    restic: Restic,
    part: Mapping[str, Any],
    now: float,
    release: str = "",
    moment: float | None = None,
) -> dict[str, Any]:
    root = configuration.root_directory
    user = configuration.account.name

    def put(
        account: Account, dump: streaming.Readable, then: list[str], whole: Callable[[], None]
    ) -> dict[str, Any]:
        layout = Layout(root)
        values, redactor = streams.deployed_settings(layout, release)
        head = _head(layout, release, then)
        commands = DatabaseCommands(
            layout.log / "migration.log", application_environment(account), redactor=redactor
        )
        privileges.stop_with(commands.cancel)
        done = database_restore.restore(
            dump,
            part["file"],
            target.target(values.get("DATABASE_URL", "")),
            commands,
            revisions=then,
            moment=now,
            wait=120,
            lock_timeout=30,
            timeout=_RESTORED,
            whole=whole,
        )
        return {"schema": done.kept, "seconds": done.seconds, "migrates": then != [head]}

    if moment is not None:
        return _as_of(configuration, moment, put)

    def read(account: Account, stream: fetching.Reading) -> dict[str, Any]:
        return put(account, stream, list(part["schema"]), lambda: fetching.need_whole(stream.facts(), part))

    return fetching.fetch(restic, part, user, read, silence=_RESTORED + SILENCE)


def _as_of(configuration: Configuration, moment: float, put: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The database as it was then, out of a file that a server as of then has given."""
    path = Layout(configuration.root_directory).backups / ".restore-point.dump"
    user = configuration.account.name

    def read(account: Account) -> dict[str, Any]:
        with path.open("rb") as dump:
            return put(account, dump, then, lambda: None)

    try:
        then = list(point_in_time.dump(configuration, moment, path)["schema"])
        answer: dict[str, Any] = by_owner(user, read, silence=_RESTORED + SILENCE)
    finally:
        by_owner(user, lambda _account: path.unlink(missing_ok=True))
    return answer


def _restore_gateway(
    configuration: Configuration, restic: Restic, part: Mapping[str, Any], now: float
) -> dict[str, Any]:
    """The state as a whole takes the place of the present one, which is kept beside it."""
    place, root = state_place(configuration), gateway_root(configuration)

    def work(_account: Account, stream: fetching.Reading) -> dict[str, Any]:
        new = place.with_name(f"{place.name}.restored")
        files.remove(new)
        fetching.extract(stream, new)
        return {}

    def put(account: Account) -> dict[str, Any]:
        new, before = place.with_name(f"{place.name}.restored"), before_of(place, now)
        _leave_units(new)
        places = {"root/": root, "units/": Path(account.home) / ".config/systemd/user"}
        kept = _put_files(new, places, root / f"before-{name_stamp(now)}")
        if place.exists():
            moving.move(place, before)
        if (new / "state").exists():
            moving.move(new / "state", place)
        files.remove(new)
        return {"state": str(before) if before.exists() else "", "files": kept}

    user = owner_of(configuration, GATEWAY)
    fetching.fetch(restic, part, user, work)
    answer: dict[str, Any] = by_owner(user, put)
    return answer


def _restore_settings(
    configuration: Configuration, restic: Restic, part: Mapping[str, Any], now: float
) -> dict[str, Any]:
    """Identity, settings of a release that is there, and drop-ins; what they replace is kept."""
    root = configuration.root_directory
    new = Layout(root).shared / ".restored"
    units = Path(configuration.account.home) / ".config/systemd/user"

    def work(_account: Account, stream: fetching.Reading) -> dict[str, Any]:
        files.remove(new)
        fetching.extract(stream, new, lambda name: not name.endswith(("history.jsonl", "release.json")))
        return {}

    def put(_account: Account) -> dict[str, Any]:
        for release in (new / "root/releases").glob("*"):
            if not (root / "releases" / release.name / "release.json").exists():
                shutil.rmtree(release)
        _leave_units(new)
        kept = _put_files(
            new, {"root/": root, "units/": units}, Layout(root).shared / f"before-{name_stamp(now)}"
        )
        files.remove(new)
        return {"files": kept}

    user = owner_of(configuration, SETTINGS)
    fetching.fetch(restic, part, user, work)
    answer: dict[str, Any] = by_owner(user, put)
    return answer


def _leave_units(new: Path) -> None:
    """Units are a deployment's own; the drop-ins that an operator has added to them are not."""
    for path in list((new / "units").glob("*")):
        if not path.is_dir():
            path.unlink()


Restorer = Callable[[Configuration, Restic, Mapping[str, Any], float], dict[str, Any]]
_RESTORERS: dict[str, Restorer] = {
    DATABASE: _restore_database,
    SETTINGS: _restore_settings,
    GATEWAY: _restore_gateway,
}


def _put_files(new: Path, places: Mapping[str, Path], before: Path) -> list[list[str]]:
    """Put what differs in its place; returns pairs of a path and where its former content is, if any."""
    done: list[list[str]] = []
    for beginning, place in places.items():
        source = new / beginning
        for path in sorted(source.rglob("*")) if source.exists() else ():
            aim = place / path.relative_to(source)
            if path.is_symlink() or not path.is_file() or _same(path, aim):
                continue
            kept = before / beginning / path.relative_to(source)
            done.append([str(aim), keep_file(aim, kept)])
            aim.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomically(aim, path.read_bytes(), path.stat().st_mode & 0o7777)
    return done


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and comparing.same_content(one, other)


# --- the way back ---


def give_back(configuration: Configuration) -> dict[str, Any]:
    """Undo what the last restoration did; what it had not come to is as it was."""
    way = state.read_state(configuration.directory).get(WAY_BACK)
    if not way:
        return {"changed": False, "returned": []}
    returned = []
    root = configuration.root_directory
    with alone(configuration, "undoing a restoration"):
        for part in reversed([part for part in PARTS if part in way]):
            kept = way[part]
            work: Callable[[Account], None]
            if part == DATABASE:
                work = partial(_database_back, root, kept["schema"])
            else:
                work = partial(_files_back, kept, state_place(configuration) if part == GATEWAY else None)
            by_owner(owner_of(configuration, part), work)
            returned.append(part)
        state.note(configuration.directory, **{WAY_BACK: None})
    return {"changed": bool(returned), "returned": returned}


def keep(configuration: Configuration) -> dict[str, Any]:
    """What was restored has passed: there is no way back by itself any more."""
    way = state.read_state(configuration.directory).get(WAY_BACK)
    state.note(configuration.directory, **{WAY_BACK: None})
    return {"changed": way is not None, "returned": []}


def _database_back(root: Path, kept: str, _account: Account) -> None:
    values, redactor = streams.deployed_settings(Layout(root))
    connection = streams.connect(values.get("DATABASE_URL", ""), redactor, "mission-control-restore")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '30s'")
            cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (kept,))
            if cursor.fetchone():
                cursor.execute("DROP SCHEMA public CASCADE")
                cursor.execute(f'ALTER SCHEMA "{kept}" RENAME TO public')
    finally:
        connection.close()


def _files_back(kept: Mapping[str, Any], place: Path | None, _account: Account) -> None:
    pairs: Sequence[Sequence[str]] = kept.get("files") or []
    for path, before in pairs:
        if before:
            source = Path(before)
            files.write_atomically(Path(path), source.read_bytes(), source.stat().st_mode & 0o7777)
            source.unlink()
        else:
            Path(path).unlink(missing_ok=True)
    if place is not None:
        files.remove(place.with_name(f"{place.name}.restored"))
    if place is not None and kept.get("state") and Path(kept["state"]).exists():
        files.remove(place)
        moving.move(Path(kept["state"]), place)

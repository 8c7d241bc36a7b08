# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role release works out between its calls to the hosts: units, ways back, and what is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..module_utils._terminal import clean

SCHEMA_WAYS = ("keep", "downgrade", "restore")
NOTHING_CHANGED = "Nothing was changed."


def units(
    units_of_components: Iterable[Mapping[str, Any]],
    fingerprints: Mapping[str, str],
    absent: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """What the module user_units is given.

    A unit is restarted when what it was started from has changed: its `part` of the release, settings
    included.

    :param units_of_components: units as the roles of the components settle them, each with the `part` it
      runs from.
    :param fingerprints: fingerprints of the release by part.
    :param absent: names of units that must not be there (any longer).
    """
    found = []
    for unit in units_of_components:
        if unit["name"] in absent:
            continue
        entry = {name: value for name, value in unit.items() if name != "part"}
        if unit.get("part"):
            entry["restart_on"] = fingerprints.get(unit["part"], "")
        found.append(entry)
    return found + [{"name": name, "state": "absent"} for name in absent]


def way_back(situation: Mapping[str, Any]) -> str:
    """The release that has to serve again when another one failed; empty where there is none.

    :param situation: `action` (deploy or rollback), `release` (what the module release returned of the one
      that failed), `switched` (to it, in this play), `adopting` (a tree set up by hand is there to go back
      to) and `schema_changes` (the database has been made to fit the release).
    """
    release = situation["release"]
    fallback = str(release.get("fallback") or "")
    if situation["action"] == "rollback":
        return "" if situation["schema_changes"] or release["id"] == release["current"] else fallback
    # One that was verified before and is still current is not to blame; its own units come back.
    if not situation["switched"] and release["outcome"] == "verified":
        return str(release["id"])
    return "" if situation["adopting"] else fallback


def _verdict_text(verdict: Mapping[str, Any]) -> str:
    remedy = f". {verdict['remedy']}" if verdict.get("remedy") else ""
    return f"{verdict['name']}: {verdict['summary']}{remedy}"


def failure_reason(failure: Mapping[str, Any], length: int = 160) -> str:
    """Why a release failed, in the few words that its record keeps."""
    names = [str(verdict["name"]) for verdict in failure.get("verdicts") or ()]
    if names:
        return ", ".join(names)
    message = str(failure["message"])
    return message if len(message) <= length else f"{message[: length - 3].rsplit(' ', 1)[0]}..."


def failure_text(failure: Mapping[str, Any], aftermath: Mapping[str, Any]) -> str:
    """What the operator is told of a release that failed.

    :param failure: `release`, `current`, `message`, `verdicts`, as revert.yml keeps them.
    :param aftermath: what has been done about it: `action`, `target` (the release that serves again, or
      empty), `missed` (components that it does not have), `given_back` (what was set up by hand serves
      again), `schema_changed` (the database fits only the release that failed) and `migrated` (`applied`,
      `backup`).
    """
    checks = " ".join(_verdict_text(verdict) for verdict in failure.get("verdicts") or ())
    said = [f"Release {failure['release']} did not pass: {(checks or str(failure['message'])).strip()}"]
    said.append(_who_serves(failure, aftermath))
    migrated = aftermath.get("migrated") or {}
    if migrated.get("applied"):
        said.append(
            "The database keeps the migrations that were applied "
            f"({', '.join(migrated['applied'])}); the backup from "
            f"before is {migrated.get('backup') or 'missing'}. To take them back: rollback.yml -e release="
            f"{aftermath.get('target') or 'ID'} -e schema=downgrade (or restore)."
        )
    # Of Git, of npm, of the hosts: others wrote parts of it.
    return clean(" ".join(said))


def _who_serves(failure: Mapping[str, Any], aftermath: Mapping[str, Any]) -> str:
    target = aftermath.get("target")
    if target:
        missed = " and ".join(aftermath.get("missed") or ())
        rest = f" It has no {missed}, which nobody serves on this host now." if missed else ""
        return f"Release {target} serves again.{rest}"
    if aftermath.get("given_back"):
        return "What was set up by hand serves again, from where it was."
    if aftermath["action"] == "rollback" and aftermath.get("schema_changed"):
        return (
            "It stays current, for the database was taken back to fit it. To have "
            f"{failure['current']} serve again, deploy its revision, which migrates anew."
        )
    if failure["release"] == failure["current"]:
        return "It was current before and stays so."
    return "There is no earlier release that could serve instead."


def renewal_sentence(host: str, release: str, renewal: Mapping[str, Any], *, predicted: bool) -> str:
    """A release that does not serve with the secrets that it was made with.

    :param renewal: what the module release returned with state=renewed.
    """
    names, plural = list(renewal["renewed"]), len(renewal["renewed"]) > 1
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "nothing"
    return (
        f"{host}: {listed} of release {release} {'are' if plural else 'is'} not what the installation uses "
        f"now. Its code {'would serve' if predicted else 'serves'} with today's "
        f"{'values' if plural else 'value'}, as release {renewal['id']}."
    )


# --- a rollback and the schema of the database ----------------------------------------------------


def schema_ways(schema: Mapping[str, Any]) -> list[str]:
    """What can be done with a database that is newer than the code.

    The way back has to be known to a release on the host, the backup to be there.
    """
    possible = {"keep": True, "downgrade": bool(schema["code"]), "restore": bool(schema["backups"])}
    return [way for way in SCHEMA_WAYS if possible[way]]


def schema_problem(schema: Mapping[str, Any], release: str, way: str, root: str) -> str:
    """Why a rollback cannot go on with this database; empty when it can.

    :param schema: what the module database_migration returned for the release.
    :param way: what was asked for: keep, downgrade, restore, or empty.
    :param root: the application's root.
    """
    if way and way not in SCHEMA_WAYS:
        wanted = "Use -e schema=keep, downgrade or restore."
        return f'schema: "{way}" is not a valid choice. {wanted} {NOTHING_CHANGED}'
    if schema["relation"] == "behind":
        return (
            f"Release {release} needs migrations that the database does not have ({_migrations(schema)}). "
            f"A rollback does not migrate: deploy its revision. {NOTHING_CHANGED}"
        )
    if schema["relation"] == "same" or way in schema_ways(schema):
        return ""
    return " ".join([*_ahead(schema, release, way), *_choices(schema, root), NOTHING_CHANGED])


def _migrations(schema: Mapping[str, Any]) -> str:
    listed = schema.get("beyond") or schema.get("pending") or ()
    return "; ".join(str(migration["message"]).removesuffix(".") for migration in listed) or "unknown ones"


def _ahead(schema: Mapping[str, Any], release: str, way: str) -> list[str]:
    said = [
        f"The database is at {', '.join(schema['current'])}, which release {release} does not "
        "know: it ends at "
        f"{schema['head']}. Newer migrations: {_migrations(schema)}."
    ]
    if way:
        said.append(f"schema={way} cannot be done here.")
    return said


def _choices(schema: Mapping[str, Any], root: str) -> list[str]:
    code, backups = schema["code"], schema["backups"]
    by_code = (
        f" (with the code of release {code})"
        if code
        else ": not possible, no release on this host knows them"
    )
    backup = f": {backups[0]}" if backups else f": not possible, there is none in {root}/shared/backups"
    return [
        "Say what to do:",
        "(1) -e schema=keep runs the older code on the newer schema, right if those migrations "
        "only added something;",
        f"(2) -e schema=downgrade takes them back, which drops what is in their tables and columns{by_code};",
        "(3) -e schema=restore restores the backup from before them, without what was written "
        f"since{backup}.",
        "For (2) and (3) the services are stopped and a backup of the present state is taken first.",
    ]


def schema_history(steps: Mapping[str, Any]) -> dict[str, Any]:
    """What the history of deployments keeps about the database; empty where nothing was done to it.

    :param steps: `applied` (migrations of this deployment), `taken_back` (by a downgrade), `restored` and
      `kept` (a backup, and the schema that it replaced), `backup` (taken before), `keeps` (older code on a
      newer schema).
    """
    backup = str(steps.get("backup") or "")
    if steps.get("applied"):
        return {"migrated": steps["applied"], "backup": backup}
    if steps.get("taken_back"):
        return {"way": "downgrade", "taken_back": steps["taken_back"], "backup": backup}
    if steps.get("kept"):
        return {"way": "restore", "restored": steps["restored"], "kept": steps["kept"], "backup": backup}
    return {"way": "keep"} if steps.get("keeps") else {}


def schema_sentence(steps: Mapping[str, Any]) -> str:
    """For those who read what a rollback did, or would do; empty where the schema was no matter."""
    backup = str(steps.get("backup") or "")
    if steps.get("taken_back"):
        return (
            f"Migrations taken back: {', '.join(steps['taken_back'])}; the backup from before is "
            f"{backup or 'not taken in check mode'}."
        )
    if steps.get("restored"):
        return (
            f"Restored: {steps['restored']}. What was there stays in the schema "
            f"{steps.get('kept') or 'public_before_<time>'} of the database and in the backup "
            f"{backup or 'that would be taken'}."
        )
    return "The database keeps its newer schema." if steps.get("keeps") else ""


def rollback_sentence(
    host: str, done: Mapping[str, Any], steps: Mapping[str, Any], *, predicted: bool
) -> str:
    """One sentence about a host that went back to another release.

    :param done: `previous` and `target` (ids of releases), `described` and `restarted` (units).
    :param steps: see schema_history.
    """
    went, started = ("would go", "would start") if predicted else ("went", "started")
    origin = f"from {done['previous']} " if done.get("previous") else ""
    described = f" ({done['described']})" if done.get("described") else ""
    restarted = ", ".join(done["restarted"]) or "nothing"
    said = f"{host}: {went} {origin}to {done['target']}{described}; {started}: {restarted}."
    return f"{said} {schema_sentence(steps)}".rstrip()

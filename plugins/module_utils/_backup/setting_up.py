# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role backup puts on a host: configuration, password, keys, timers. All of it is root's alone."""

from __future__ import annotations

import contextlib
import json
import pwd
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._application.assignment import GROUP
from .._host import files
from .._host.commands import Runner, run
from .._host.deployment_errors import DeploymentError
from .._host.own_places import refuse_interference
from . import archive, configuration, repository, state, trying
from .put import has_other_text, systemctl
from .restic import Restic, ResticError
from .server import ADMINISTRATOR

UNITS = Path("/etc/systemd/system")


def set_up(
    options: Mapping[str, Any], *, check: bool, runner: Runner = run, units: Path = UNITS
) -> dict[str, Any]:
    """What the module backup_setup does."""
    if options["state"] == "absent":
        return _take_away(options, check, runner, units)
    try:
        wanted = configuration.configuration_of(options["configuration"])
    except (KeyError, TypeError, ValueError) as error:
        raise DeploymentError(f"configuration: {error}.", kind="bad_configuration") from None
    _need_own_place(wanted)
    texts = _texts(options, wanted)
    differing = [path for path, text in texts.items() if has_other_text(path, text)]
    unit_texts = {units / name: text for name, text in options["units"].items()}
    new_units = [path for path, text in unit_texts.items() if has_other_text(path, text)]
    answer: dict[str, Any] = {
        "changed": bool(differing or new_units),
        "actions": [f"write {path}" for path in (*differing, *new_units)],
        "repository_made": False,
        "leaves_the_host": wanted.leaves_the_host,
    }
    known = state.read_state(wanted.directory).get("repository", {})
    # A deployment that changes nothing asks nobody: whether it can be reached is what the check backup tells.
    asked = bool(differing or known.get("address") != wanted.repository)
    if options["state"] == "tried":
        if asked or options["restore"]:
            trying.try_out(wanted, texts, options, runner)
        differs = (
            answer["changed"]
            or asked
            or any(not _on(timer, runner) for timer in options["timers"])
            or (wanted.wal and _archive(wanted, check=True, runner=runner) != [])
        )
        return {**answer, "changed": False, "actions": [], "differs": differs}
    if check:
        return answer
    wanted.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted.directory.chmod(0o700)
    password = str(options["password"] or "")
    if not password and not wanted.password_file.exists():
        raise DeploymentError(
            "password: the repository has to have one.",
            kind="no_password",
            remedy="Give mission_control_backup_password.",
        )
    if asked:
        answer["repository_made"] = _opened_with(wanted, texts, options, differing)
    for path in new_units:
        files.write_atomically(path, unit_texts[path], 0o644)
    answer["actions"] += _archive(wanted, check=False, runner=runner)
    answer["actions"] += _timers(options, bool(new_units), runner)
    answer["changed"] = bool(answer["actions"] or answer["repository_made"])
    return answer


def _need_own_place(wanted: configuration.Configuration) -> None:
    """Root writes into the repository day after day; nobody else may lead it elsewhere."""
    if not wanted.repository.startswith("/"):
        return
    variable = f"{GROUP}_backup_repository"
    refuse_interference(wanted.repository, variable)
    if wanted.wal:
        # Its own last directory is the server's administrator's, who writes it.
        with contextlib.suppress(KeyError):
            administrator = pwd.getpwnam(ADMINISTRATOR).pw_uid
            refuse_interference(
                archive.place_of(wanted.repository), variable, last=frozenset({0, administrator})
            )


def _archive(wanted: configuration.Configuration, *, check: bool, runner: Runner) -> list[str]:
    if not wanted.wal and not archive.SETTINGS.exists():
        return []
    return archive.set_up(wanted, wanted.password_file.read_text(), check=check, runner=runner)


def _texts(options: Mapping[str, Any], wanted: configuration.Configuration) -> dict[Path, str]:
    """What is secret, and where it stands; an empty text is no file."""
    credentials = {str(name): str(value) for name, value in (options["credentials"] or {}).items()}
    texts = {
        wanted.credentials_file: json.dumps(credentials, indent=1) + "\n" if credentials else "",
        wanted.directory / "ssh_key": _ended(str(options["ssh_key"] or "")),
        wanted.directory / "known_hosts": _ended(str(options["known_hosts"] or "")),
    }
    if options["password"]:
        texts[wanted.password_file] = _ended(str(options["password"]))
    # Last: it says that all else is there.
    texts[Path(options["path"])] = json.dumps(options["configuration"], indent=1, sort_keys=True) + "\n"
    return texts


def _ended(text: str) -> str:
    return text.rstrip("\n") + "\n" if text else ""


def _opened_with(
    wanted: configuration.Configuration,
    texts: Mapping[Path, str],
    options: Mapping[str, Any],
    differing: list[Path],
) -> bool:
    """Try what is new beside what is there; only what opens the repository takes its place."""
    trial = replace(wanted, directory=wanted.directory / "trial") if differing else wanted
    if differing:
        trying.fill(trial, wanted, texts, options)
    try:
        with repository.alone(wanted, "opening the repository"):
            made = repository.open_repository(Restic(trial), make=options["make_repository"])
    except ResticError as error:
        if error.kind == "wrong_password" and wanted.password_file.exists() and differing:
            error.remedy = f"{error.remedy} This host goes on with the one in {wanted.password_file}."
        raise
    finally:
        if differing:
            state_file = trial.directory / state.NAME
            known = state_file.read_text() if state_file.exists() else ""
            files.remove(trial.directory)
    if differing:
        if known:
            files.write_atomically(wanted.directory / state.NAME, known, 0o600)
        for path in differing:
            if texts[path]:
                files.write_atomically(path, texts[path], 0o600)
            else:
                path.unlink(missing_ok=True)
    return made


def _timers(options: Mapping[str, Any], reload: bool, runner: Runner) -> list[str]:
    done = []
    if reload:
        systemctl(runner, "daemon-reload")
        done.append("reload systemd")
    for timer in options["timers"]:
        if not _on(timer, runner):
            systemctl(runner, "enable", "--now", timer)
            done.append(f"start {timer}")
        elif reload:
            systemctl(runner, "restart", timer)
    return done


def _on(timer: str, runner: Runner) -> bool:
    return all(runner(["systemctl", word, "--quiet", timer]).ok for word in ("is-enabled", "is-active"))


def _take_away(options: Mapping[str, Any], check: bool, runner: Runner, units: Path) -> dict[str, Any]:
    """Timers and configuration go; the repository, its password and what is known of it stay."""
    there = [units / name for name in options["units"] if (units / name).exists()]
    there += [path for path in [Path(options["path"])] if path.exists()]
    if there and not check:
        for timer in options["timers"]:
            runner(["systemctl", "disable", "--now", timer])
        for path in there:
            path.unlink()
        systemctl(runner, "daemon-reload")
    return {
        "changed": bool(there),
        "actions": [f"remove {path}" for path in there],
        "repository_made": False,
        "leaves_the_host": False,
    }

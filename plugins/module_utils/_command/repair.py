# SPDX-License-Identifier: GPL-3.0-or-later
"""Look, do what remedies say where that is safe, look again: until all is well, or nothing more helps."""

from __future__ import annotations

import argparse
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._application.layout import Layout
from .._cures import DEPLOY, WAIT, Cure
from .._host.user_files import UserFiles
from .._release.history import step
from .._services.control import read_maintenance
from .._verify import standalone
from .._verify.verdict import HEALTHY
from .checks import verify_settings
from .common import CommandError, Configuration, permitted, show
from .repair_actions import ACTIONS, Site, described, site_of, tried

# Seconds between two looks while something has time to come up.
PAUSE = 1.0


@dataclass
class Repair:
    """One run. Nothing is done twice in it: what did not help the first time is left for people."""

    site: Site
    look: Callable[[], Mapping[str, Any]]
    patience: float
    check: bool = False
    root: bool = True
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = lambda text: None
    steps: list[dict[str, str]] = field(default_factory=list)
    begun: set[Cure] = field(default_factory=set)
    # What something was done about, with what it had brought about: that takes its time.
    awaited: set[str] = field(default_factory=set)

    def run(self) -> dict[str, Any]:
        """What was done, and what is left."""
        report = self.look()
        deadline = self.clock() + self.patience
        while report["state"] not in HEALTHY:
            acted = [self._act(root, cure) for root, cure in self._open(report)]
            if self.check:
                break
            if any(acted):
                deadline = self.clock() + self.patience
            elif not self._expected(report) or self.clock() >= deadline:
                break
            else:
                self.sleep(PAUSE)
            report = self.look()
        left = [] if report["state"] in HEALTHY else list(report["root_causes"])
        return {
            "state": report["state"],
            "changed": any(not step["problem"] for step in self.steps),
            "steps": self.steps,
            "left": [
                {
                    name: root[name]
                    for name in ("check", "kind", "state", "summary", "cause", "remedy", "cure")
                }
                for root in left
            ],
            "deploy": any(root["cure"]["action"] == "deploy" for root in left),
        }

    def _open(self, report: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Cure]]:
        """Root causes that something can be done about and was not, each thing once."""
        found: dict[Cure, Mapping[str, Any]] = {}
        for root in report["root_causes"]:
            cure = Cure(**root["cure"])
            action = ACTIONS.get(cure.action)
            if action is None or cure.by == WAIT or cure in self.begun or (action.root and not self.root):
                continue
            if action.here(self.site, cure.target):
                found.setdefault(cure, root)
        return [(root, cure) for cure, root in found.items()]

    def _expected(self, report: Mapping[str, Any]) -> bool:
        """Whether something is on its way: what was begun, or what comes by itself."""
        cures = [Cure(**root["cure"]) for root in report["root_causes"]]
        return any(
            cure.by == WAIT or root["check"] in self.awaited
            for cure, root in zip(cures, report["root_causes"], strict=True)
        )

    def _act(self, root: Mapping[str, Any], cure: Cure) -> bool:
        self.begun.add(cure)
        words = described(cure)
        shown = f"would {words}" if self.check else f"{words} ..."
        self.tell(f"{root['check']}: {root['summary']}\n  {shown}")
        step = {"check": root["check"], "kind": root["kind"], "action": words, "problem": ""}
        self.steps.append(step)
        if not self.check:
            with tried() as wrong:
                ACTIONS[cure.action].work(self.site, cure.target)
            step["problem"] = "".join(wrong)
            if not wrong:
                self.awaited |= {root["check"], *root["consequences"]}
            else:
                self.tell(f"  It did not work: {wrong[0]}")
        return True


def _refuse(site: Site) -> None:
    """During maintenance, and while somebody deploys, what looks broken is meant to be so."""
    files = UserFiles(site.account)
    if sentence := read_maintenance(files, site.root):
        raise CommandError(f"Mission Control is {sentence}. What is down is so on purpose.")
    if going_on := files.look(lambda: step(Layout(Path(site.root)))):
        raise CommandError(f"Somebody is changing this installation ({going_on}). Wait until that has ended.")


def left_over(root: Mapping[str, Any], as_root: bool) -> str:
    """What people have to do about what is left."""
    cure = Cure(**root["cure"])
    action = ACTIONS.get(cure.action)
    if cure.by == DEPLOY and cure.action:
        how = "Deploying does it: playbooks/repair.yml, or playbooks/deploy.yml. "
    elif action and action.root and not as_root:
        how = "As root this command does it: sudo mission-control repair. "
    else:
        how = ""
    return f"Left: {root['check']}: {root['summary']}\n  {root['cause']}\n  {how}{root['remedy']}"


def command_repair(configuration: Configuration, options: argparse.Namespace) -> int:
    """Repair what can be repaired here."""
    site = site_of(configuration)
    permitted(site.account)
    _refuse(site)
    settings, name, as_root = verify_settings(configuration), socket.gethostname(), os.geteuid() == 0
    quiet = options.json

    def tell(text: str) -> None:
        if not quiet:
            show(text)

    repair = Repair(
        site,
        lambda: standalone.run(settings, [], where=name),
        options.wait,
        check=options.check,
        root=as_root,
        tell=tell,
    )
    done = repair.run()
    if quiet:
        show(json.dumps(done, indent=2))
    elif done["state"] in HEALTHY:
        show("All is well." if not done["steps"] else "All is well again.")
    elif options.check:
        acted = {entry["check"] for entry in done["steps"]}
        show("Nothing was done (--check).")
        for root in done["left"]:
            if root["check"] not in acted:
                show(left_over(root, as_root))
    else:
        for root in done["left"]:
            show(left_over(root, as_root))
    return 0 if done["state"] in HEALTHY or done["state"] == "warn" else 1

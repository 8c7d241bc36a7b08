# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: phases
type: aggregate
short_description: Time of a deployment or rollback by phase
version_added: "1.0.0"
description:
  - Ends a run of C(deploy.yml) or C(rollback.yml) with one table of its time by phase, such as packages,
    release, migration, start and gate. Steps that a module timed itself, the build of the frontend for
    example, stand below their phase.
  - Runs of other playbooks are left as they are, and there is no table where
    P(openclaw.mission_control.progress#callback) has told the phases as they passed.
requirements:
  - Enable it by C(callbacks_enabled = openclaw.mission_control.phases) in the section C([defaults]) of
    ansible.cfg, or by the environment variable C(ANSIBLE_CALLBACKS_ENABLED).
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

import time
from typing import Any

from ansible.plugins.callback import CallbackBase

from ..module_utils._tables import table
from ..plugin_utils._progress.mode import shows_progress
from ..plugin_utils._progress.phases import COLLECTION, is_include, phase_of_task, tasks_of

# What every deployment and every rollback begins with, and nothing else does.
BEGIN = "deployment/begin"
# Seconds that are shown as 0.0 are left out.
SHORTEST = 0.05


class Clock:
    """Adds up seconds by phase, in the order of their first appearance."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.steps: dict[str, dict[str, float]] = {}
        self._worked: set[str] = set()
        self._phase = ""
        self._since = 0.0

    def enter(self, phase: str, now: float) -> None:
        if self._phase:
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + now - self._since
        self._phase, self._since = phase, now

    def work(self) -> None:
        """A task of the phase was not skipped."""
        self._worked.add(self._phase)

    def add_steps(self, timings: dict[str, Any]) -> None:
        """What a module says of its own steps; of several hosts the slowest counts."""
        steps = self.steps.setdefault(self._phase, {})
        for name, seconds in timings.items():
            if isinstance(seconds, (int, float)):
                steps[str(name)] = max(steps.get(str(name), 0.0), float(seconds))

    def rows(self) -> list[list[str]]:
        """The phases in which something was done, and the total, to which the others count too."""
        rows = []
        for phase, seconds in self.seconds.items():
            if phase not in self._worked or seconds < SHORTEST:
                continue
            rows.append([phase, f"{seconds:.1f} s"])
            rows += [
                [f"  {name.replace('_', ' ')}", f"{part:.1f} s"]
                for name, part in self.steps.get(phase, {}).items()
                if part >= SHORTEST
            ]
        return [*rows, ["total", f"{sum(self.seconds.values()):.1f} s"]]


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Watches the tasks and shows the table at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = f"{COLLECTION}.phases"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._clock = Clock()
        self._deploys = False

    def _enter(self, task: Any) -> None:
        phase = phase_of_task(task)
        if not phase:
            return
        self._clock.enter(phase, time.monotonic())
        self._deploys = self._deploys or tasks_of(str(task.get_path() or "")) == BEGIN

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._enter(task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._enter(task)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._clock.work()

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._clock.work()

    def v2_runner_on_ok(self, result: Any) -> None:
        if not is_include(result.task):
            self._clock.work()
        timings = result.result.get("timings")
        if isinstance(timings, dict):
            self._clock.add_steps(timings)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._clock.enter("", time.monotonic())
        if self._deploys and not shows_progress(self._display):
            text = table(["PHASE", "TIME"], self._clock.rows(), limit=60)
            self._display.display(f"\n{text.rstrip()}\n")

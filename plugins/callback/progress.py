# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: A run for people to watch
version_added: "1.0.0"
description:
  - Shows a run by its phases instead of its tasks. What was changed stands below its phase, with the time
    that it took; tasks that found everything in place are not shown.
  - On a terminal one more line is drawn in place, with what is being done now and for how long. Elsewhere
    there are only plain lines, each written when it happens, and a task that goes on and on is told every
    O(still) seconds.
  - Warnings and errors are told by their first line when they happen, and in full at the end. An error that
    tasks in C(rescue) dealt with is marked as such, one that C(ignore_errors) lets pass is told by its first
    line only.
  - Messages of M(ansible.builtin.debug) are shown, and differences with C(--diff).
  - What modules and hosts say cannot act upon the terminal.
  - With C(-v) and more everything is as with P(ansible.builtin.default#callback). So it is where Ansible's
    debugger is enabled.
  - Phases are those of the roles of this collection. Tasks of other roles stand below the role's name.
  - The callback P(openclaw.mission_control.phases#callback) shows no table beside this one, which tells the
    same times as they pass.
extends_documentation_fragment:
  - ansible.builtin.default_callback
  - ansible.builtin.result_format_callback
options:
  layout:
    description:
      - V(auto) draws in place on a terminal and writes plain lines elsewhere, or where E(TERM) is C(dumb).
      - V(plain) writes plain lines on a terminal, too.
    type: str
    choices: [auto, plain]
    default: auto
    env:
      - name: OPENCLAW_PROGRESS_LAYOUT
    ini:
      - key: layout
        section: callback_progress
  still:
    description:
      - Seconds after which a running task is told again where nothing is drawn in place; V(0) for never.
    type: int
    default: 30
    env:
      - name: OPENCLAW_PROGRESS_STILL
    ini:
      - key: still
        section: callback_progress
notes:
  - Of the options of P(ansible.builtin.default#callback), O(display_failed_stderr), O(show_custom_stats),
    O(result_format) and O(pretty_results) count here, too; the others count with C(-v).
requirements:
  - Choose it by C(stdout_callback = openclaw.mission_control.progress) in the section C([defaults]) of
    ansible.cfg, or by the environment variable E(ANSIBLE_STDOUT_CALLBACK).
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

import atexit
import os
import textwrap
import time
from typing import Any

from ansible import constants as C  # noqa: N812
from ansible import context
from ansible.plugins.callback.default import CallbackModule as Default
from ansible.utils.color import stringc
from ansible.utils.fqcn import add_internal_fqcns

from ..module_utils._tables import cell
from ..module_utils._terminal import clean_data
from ..plugin_utils._progress import texts
from ..plugin_utils._progress.mode import NAME, is_as_before, or_as_before
from ..plugin_utils._progress.phases import COLLECTION, OTHER, is_include, phase_of_task
from ..plugin_utils._progress.screen import Screen, Ticker, columns, is_terminal, marks
from ..plugin_utils._progress.story import Event, Line, Notice, Story, Work, summary

# How often the line at the bottom is drawn, and how often it is asked whether something is still running.
_DRAW = 0.125
_ASK = 1.0
_COLOURS = {
    "ok": "COLOR_OK",
    "changed": "COLOR_CHANGED",
    "failed": "COLOR_ERROR",
    "warning": "COLOR_WARN",
    "quiet": "COLOR_DEBUG",
    "title": "COLOR_HIGHLIGHT",
}
_IN_STEP = add_internal_fqcns(("linear",))


class CallbackModule(Default):  # type: ignore[misc]
    """Tells a Story what Ansible does, and writes down what that has to say."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = NAME

    def __init__(self) -> None:
        super().__init__()
        self.as_before = is_as_before(self._display)
        self._began = time.monotonic()
        self._ended = False
        self._process = os.getpid()
        self._plays: list[str] = []
        self._in_step = True
        self._stderr = False
        self._ticker: Ticker | None = None
        self._story = Story(self._say, gathers=False, done="", failed="")

    # --- writing

    def _say(self, line: Line) -> None:
        """To the screen with colours, to the log without."""
        plain = "".join(text for text, _kind in line).rstrip()
        shown = "".join(self._coloured(text, kind) for text, kind in line).rstrip()
        self._display.display(shown, screen_only=True, stderr=self._stderr)
        self._display.display(plain, log_only=True)

    @staticmethod
    def _coloured(text: str, kind: str) -> str:
        return stringc(text, getattr(C, _COLOURS[kind])) if kind and text else text

    def _dump(self, values: dict[str, Any]) -> str:
        return textwrap.dedent(str(self._dump_results(clean_data(values))).strip("\n"))

    @staticmethod
    def _now() -> float:
        return time.monotonic()

    # --- beginning and end

    @or_as_before
    def v2_playbook_on_start(self, playbook: Any) -> None:
        done, failed, spinner = marks()
        live = self.get_option("layout") == "auto" and is_terminal()
        self._story = Story(self._say, gathers=live, done=done, failed=failed)
        if live:
            self._story.columns = columns
            ticks = iter(range(1 << 62))
            self._ticker = Screen(
                self._display,
                _DRAW,
                lambda: self._story.now(self._now(), spinner[next(ticks) % len(spinner)]),
            )
        elif self.get_option("still") > 0:
            after = float(self.get_option("still"))
            self._ticker = Ticker(
                self._display, min(_ASK, after), lambda: self._story.still(self._now(), after)
            )
        if self._ticker is not None:
            self._ticker.start()
        atexit.register(self._stopped)

    @or_as_before
    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play
        self._story.leave(self._now())
        self._story.hosts = set()
        self._in_step = play.strategy in _IN_STEP
        name = cell(play.get_name().strip(), 100)
        # A play that runs in several batches begins several times.
        if not self._plays or self._plays[-1] != name:
            self._plays.append(name)
            self._say([("", "")])
            note = "  (check mode: nothing is changed)" if play.check_mode else ""
            self._say([(name, "title"), (note, "quiet")])

    @or_as_before
    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._say([("    no hosts matched", "quiet")])

    @or_as_before
    def v2_playbook_on_no_hosts_remaining(self) -> None:
        self._story.leave(self._now())
        self._say([("    no hosts are left", "failed")])

    @or_as_before
    def v2_playbook_on_stats(self, stats: Any) -> None:
        phase, counts = self._story.phase, {host: stats.summarize(host) for host in stats.processed}
        bad = any(count["failures"] or count["unreachable"] for count in counts.values())
        self._close()
        if len(counts) > 1:
            self._say([("", "")])
            for line in summary(counts).splitlines():
                self._say([(line, "")])
        self._tell_stats(stats)
        self._say([("", "")])
        self._say(self._last_line(counts, bad, phase))
        self._say([("", "")])

    def _last_line(self, counts: dict[str, dict[str, int]], bad: bool, phase: str) -> Line:
        """How it ended, what was changed, how long it took."""
        changed = sum(count["changed"] for count in counts.values())
        number = str(changed or "nothing")
        parts = [f"would change {number}" if context.CLIARGS.get("check") else f"{number} changed"]
        warnings = sum(notice.word == "WARNING" for notice in self._story.notices)
        if warnings:
            parts.append(f"{warnings} warning{'' if warnings == 1 else 's'}")
        done, failed, _spinner = marks()
        end = f"failed in phase {phase}" if bad and phase else "failed" if bad else "done"
        if not counts:
            end, parts = "no host had anything to do", []
        mark, kind = (failed, "failed") if bad else (done, "ok")
        name = self._plays[-1] if self._plays else ""
        rest = f": {', '.join(parts)}" if parts else ""
        return [(f"{mark} {name}: {end} after {texts.elapsed(self._now() - self._began)}", kind), (rest, "")]

    def _tell_stats(self, stats: Any) -> None:
        if not stats.custom or not self.get_option("show_custom_stats"):
            return
        self._say([("", "")])
        self._say([(texts.readable(self._dump(dict(stats.custom))).rstrip(), "")])

    def _close(self) -> None:
        """The last phase ends, nothing is drawn any more, and warnings and errors are told in full."""
        self._ended = True
        if self._ticker is not None:
            self._ticker.stop()
        self._story.leave(self._now())
        self._stderr = bool(self.get_option("display_failed_stderr"))
        self._story.tell_notices()
        self._stderr = False

    def _stopped(self) -> None:
        """Ansible ended without coming to the end of its plays: Ctrl-C, or a playbook that it cannot read."""
        if self._ended or os.getpid() != self._process:
            return
        with self._display._lock:
            now, phase = self._now(), self._story.phase
            self._story.spoil()
            self._close()
            where = f" in phase {phase}" if phase else ""
            self._say([(f"\n{marks()[1]} stopped{where} after {texts.elapsed(now - self._began)}", "failed")])

    # --- tasks

    def _begin(self, task: Any) -> Work:
        now = self._now()
        if task.debugger and self._ticker is not None:
            # It talks to the operator past the Display.
            self._ticker.stop()
        if self._in_step:
            self._story.finish(now)
        phase = phase_of_task(task) if self._in_step else OTHER
        if phase:
            self._story.enter("tasks" if phase == OTHER else phase, now)
        return self._work(task)

    def _work(self, task: Any) -> Work:
        work = self._story.begin(task._uuid, texts.task_name(task), self._now())
        work.checks = bool(task.check_mode)
        return work

    @or_as_before
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._begin(task)

    @or_as_before
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._begin(task)

    @or_as_before
    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        name = cell(host.get_name(), 40)
        self._story.hosts.add(name)
        self._work(task).running.add(name)

    @or_as_before
    def v2_playbook_on_include(self, included_file: Any) -> None:
        """What is included speaks for itself."""

    @or_as_before
    def v2_playbook_on_notify(self, handler: Any, host: Any) -> None:
        """A handler that runs speaks for itself."""

    # --- results

    def _ended_on(self, result: Any) -> Work:
        """The task's work, with what every result may bring."""
        work = self._work(result.task)
        work.running.discard(cell(result.host.get_name(), 40))
        work.attempt = ""
        self._warnings(result)
        return work

    def _warnings(self, result: Any) -> None:
        host, task = cell(self.host_label(result), 80), texts.task_name(result.task)
        warnings = result.result.get("warnings") or []
        if "censored" in result.result:
            # Ansible lets them pass; nobody has looked at what is in them.
            warnings = ["a warning that no_log hides here; -v shows it"] if warnings else []
        for warning in warnings:
            self._story.warn(Notice("WARNING", [host], task, texts.readable(warning)))
        if "censored" not in result.result and C.config.get_config_value("DEPRECATION_WARNINGS"):
            for deprecation in result.result.get("deprecations") or []:
                text = texts.deprecation_text(deprecation)
                self._story.warn(Notice("DEPRECATION", [host], task, text))

    def _reads(self, result: Any) -> str:
        """What a task wants people to read, such as debug's message."""
        values = result.result
        if not values.get("_ansible_verbose_always") or values.get("_ansible_verbose_override"):
            return ""
        if "censored" in values:
            return texts.message_of(values)
        self._clean_results(values, result.task.action)
        rest = {
            name: value
            for name, value in values.items()
            if not name.startswith("_") and name not in ("changed", "warnings", "deprecations", "exception")
        }
        message = rest.get("msg")
        if set(rest) != {"msg"}:
            return texts.readable(self._dump(rest))
        if isinstance(message, dict):
            return texts.readable(self._dump(message))
        if isinstance(message, list) and all(isinstance(line, str) for line in message):
            message = "\n".join(message)
        return texts.readable(message if isinstance(message, str) else self._dump(rest))

    def _ok(self, result: Any, work: Work) -> None:
        text = self._reads(result)
        if text:
            work.says = True
            work.below.append(f"{cell(self.host_label(result), 80)}: {text}" if self._on(result) else text)

    @or_as_before
    def v2_runner_on_ok(self, result: Any) -> None:
        work = self._ended_on(result)
        if is_include(result.task):
            return
        if result.result.get("changed"):
            work.changed.append(cell(self.host_label(result), 80))
        if "results" not in result.result or not result.task.loop:
            self._ok(result, work)
        if str(result.task.resolved_action).startswith(f"{COLLECTION}."):
            steps = texts.steps_text(result.result.get("timings"))
            work.below += [steps] if steps else []
        if not self._in_step:
            self._story.finish(self._now(), result.task._uuid)

    @or_as_before
    def v2_runner_item_on_ok(self, result: Any) -> None:
        work = self._work(result.task)
        work.items += 1
        self._warnings(result)
        self._ok(result, work)

    @or_as_before
    def v2_runner_on_skipped(self, result: Any) -> None:
        self._ended_on(result)

    @or_as_before
    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._work(result.task).items += 1
        self._warnings(result)

    @or_as_before
    def v2_runner_retry(self, result: Any) -> None:
        attempts, retries = result.result.get("attempts"), result.result.get("retries")
        self._work(result.task).attempt = f"attempt {int(attempts) + 1} of {retries}"

    @or_as_before
    def v2_runner_on_async_poll(self, result: Any) -> None:
        """The line at the bottom tells that it runs."""

    @or_as_before
    def v2_runner_on_async_ok(self, result: Any) -> None:
        """The result itself follows."""

    @or_as_before
    def v2_runner_on_async_failed(self, result: Any) -> None:
        """The result itself follows."""

    @or_as_before
    def v2_on_file_diff(self, result: Any) -> None:
        values = result.result
        parts = values["results"] if result.task.loop and "results" in values else [values]
        for part in parts:
            if isinstance(part, dict) and part.get("diff") and part.get("changed"):
                diff = self._get_diff(clean_data(part["diff"]))
                self._work(result.task).below += [diff.rstrip("\n")] if diff else []

    # --- failures

    def _ignored(self, result: Any, text: str = "") -> None:
        told = text or texts.first_line(texts.message_of(result.result))
        self._story.tell(
            Event("ignored", f"{texts.task_name(result.task)}{self._on(result)}: {told}", "quiet")
        )

    def _on(self, result: Any) -> str:
        return f" ({cell(self.host_label(result), 80)})" if len(self._story.hosts) > 1 else ""

    def _failed(self, result: Any, item: str = "", rescued: bool = False) -> None:
        task = result.task
        host = cell(self.host_label(result), 80) + (f" (item={item})" if item else "")
        text = texts.failure_text(result.result, self._dump, self._context(result))
        place = texts.place_of(str(task.get_path() or ""))
        message = "" if "censored" in result.result else texts.message_of(result.result)
        notice = Notice("ERROR", [host], texts.task_name(task), text, place, rescued, message)
        self._story.fail(notice, self._on(result))

    def _context(self, result: Any) -> str:
        """Where in a playbook or among variables an expression stands that Ansible could not work out."""
        message = result.result.get("msg")
        if not isinstance(message, str) or not message.startswith("Task failed"):
            return ""
        caught: list[str] = []
        display = self._display.display
        self._display.display = lambda text, *_args, **_kwargs: caught.append(str(text))
        try:
            self._handle_exception(dict(result.result))
        finally:
            self._display.display = display
        return "\n".join(caught).removeprefix("[ERROR]: ")

    @or_as_before
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        work = self._ended_on(result)
        if ignore_errors:
            self._ignored(result, work.items_failed[0] if work.items_failed else "")
        elif not work.items_failed:
            self._failed(result, rescued=texts.is_rescued(result.task))

    @or_as_before
    def v2_runner_item_on_failed(self, result: Any) -> None:
        work = self._work(result.task)
        work.items += 1
        self._warnings(result)
        if result.task.ignore_errors:
            work.items_failed.append(texts.first_line(texts.message_of(result.result)))
            return
        label = cell(self._get_item_label(result.result), 80)
        self._failed(result, item=label, rescued=texts.is_rescued(result.task))
        work.items_failed.append(label)

    @or_as_before
    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._ended_on(result)
        if result.task.ignore_unreachable:
            self._ignored(result)
        else:
            self._failed(result)

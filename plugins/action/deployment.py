# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of the module deployment: waits for others, lets the host know that this run lives.

The host cannot see whether ansible-playbook still runs. So a process beside it keeps one command running on
the host, through the connection of the task: a lock on the file that names the run. When ansible-playbook
ends, however it ends, that process ends the command; when both are gone, the command ends with its
connection. Where the controller or the network vanish without a word, the connection stays for a long time:
so another command touches the file from time to time, and without that the first one ends by itself.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import select
import shlex
import signal
import threading
import time
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._release import history
from ..module_utils._terminal import clean

display = Display()

PAUSE = 3.0
# These keep their session in the process: a copy of it cannot use it too.
_SHARED_SESSIONS = ("paramiko", "paramiko_ssh", "libssh", "ansible.netcommon.libssh")
# So often a run says that it lives; it counts no more after so long a silence.
BEAT = 15
SILENCE = 60
# A line says that the lock counts now. Then something is written from time to time: into a connection that
# was closed, which ends it. The seconds of silence are counted, not measured: clocks are set.
_PROGRAM = (
    'grep -qF -e "$0" -- "$1" && echo held >>"$1"; last= silence=0; '
    'while grep -qF -e "$0" -- "$1" && echo; do now=$(stat -c %y -- "$1"); '
    '[ "$now" = "$last" ] && silence=$((silence + 5)) || silence=0; [ $silence -lt $2 ] || exit 1; '
    "last=$now; sleep 5; done"
)
# Ends with 0 when there is nothing more to say.
_BEAT_PROGRAM = '! grep -qF -e "$0" -- "$1" || { touch -c -- "$1"; exit 1; }'


def run_identifier(main: int) -> str:
    """Names this run of ansible-playbook, whose process has this number."""
    try:
        stat = Path(f"/proc/{main}/stat").read_text(errors="replace")
        started = stat[stat.rindex(")") + 2 :].split()[19]
    except OSError:
        started = ""
    return f"{platform.node()}/{main}/{started}"


def holding_command(user: str, run: str, silence: int = SILENCE) -> str:
    """What runs on the host as long as the run lives."""
    path = str(history.place(user))
    # -o: not the program but flock holds the lock, so that what the program leaves behind does not.
    return shlex.join(["flock", "-o", "-w", "60", path, "sh", "-c", _PROGRAM, run, path, str(silence)])


def beating_command(user: str, run: str) -> str:
    """What has it go on."""
    return shlex.join(["sh", "-c", _BEAT_PROGRAM, run, str(history.place(user))])


def sentence(host: str, line: dict[str, Any]) -> str:
    """The end of a run in one line."""
    current, result = line.get("current", "no release"), line["result"]
    words = {
        "deployed": f"release {current} serves",
        "unchanged": f"nothing to do, release {current} serves",
        "rolled_back": f"release {current} serves again",
        "rotated": f"rotated {', '.join(line.get('rotated') or ['nothing'])}, release {current} serves",
        "restored": f"restored, release {current} serves",
        "removed": "removed",
        "returned": f"release {line.get('release')} failed, {current} serves again",
    }
    return f"{host}: {words.get(result, f'{result}, {current} serves')}; {line.get('seconds', 0)} s"


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs the module; for a run that begins, waits and holds."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        # An action runs in a child of ansible-playbook.
        main = os.getppid()
        arguments["run"] = run_identifier(main)
        arguments["by"] = arguments.get("by") or f"{getpass.getuser()}@{platform.node()}"
        state = arguments.get("state")
        answer = self._module(arguments, task_vars)
        if state == "begun" and not self._task.check_mode and not answer.get("failed"):
            answer = self._begin(answer, arguments, task_vars, main)
        if state == "begun" and self._task.check_mode and answer.get("holder"):
            display.display(clean(f"\nAnother deployment would have to be waited for: {answer['holder']}.\n"))
        if state == "ended" and answer.get("recorded"):
            host = str((task_vars or {}).get("inventory_hostname"))
            display.display(clean(f"\n{sentence(host, answer['recorded'])}\n"))
        if state == "ended" and arguments.get("result") in ("failed", "returned"):
            answer.update(failed=True, msg=str(arguments.get("reason") or "The deployment failed."))
        return {**result, **answer}

    def _begin(
        self,
        answer: dict[str, Any],
        arguments: dict[str, Any],
        task_vars: dict[str, Any] | None,
        main: int,
    ) -> dict[str, Any]:
        wait = float(arguments.get("wait") or 0)
        deadline, waited = time.monotonic() + wait, False
        host = (task_vars or {}).get("inventory_hostname", "the host")
        while answer.get("running") is not None:
            if answer["running"].get("run") == arguments["run"]:
                # An earlier play of the same run has begun it.
                return {**answer, "waited": waited}
            holder = clean(answer["holder"])
            if time.monotonic() >= deadline:
                record = f"Another deployment works on {host}: {holder}. The application was not touched."
                remedy = (
                    "Wait for its end and run again; it counts only as long as its ansible-playbook lives."
                )
                return {"failed": True, "msg": f"{record} {remedy}", "holder": holder}
            if not waited:
                display.display(
                    clean(f"\nWaiting for another deployment on {host} (up to {wait:.0f} s): {holder}.\n")
                )
            waited = True
            time.sleep(PAUSE)
            answer = self._module(arguments, task_vars)
            if answer.get("failed"):
                return answer
        if self._connection.transport in _SHARED_SESSIONS:
            answer["warnings"] = [
                f"The connection {self._connection.transport} cannot tell {host} that it lives: another "
                f"deployment is kept away for {history.GRACE:.0f} s only. Use the connection ssh."
            ]
        else:
            user = str(arguments.get("user") or "mission-control")
            self._hold(holding_command(user, arguments["run"]), beating_command(user, arguments["run"]), main)
        return {**answer, "waited": waited}

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name="openclaw.mission_control.deployment", module_args=arguments, task_vars=task_vars
        )
        return answer

    def _hold(self, holding: str, beating: str, main: int) -> None:
        """Start processes of their own that run the commands on the host for as long as `main` lives."""
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        # From here on nothing may return into Ansible's code.
        try:
            os.setsid()
            if os.fork() == 0:
                self._stay(holding, beating, main)
        finally:
            os._exit(0)

    def _stay(self, holding: str, beating: str, main: int) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        # What the worker shares with ansible-playbook is none of this process's business.
        display._final_q = None
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        os.closerange(3, 1024)
        # Each with a connection object of its own.
        if os.fork() == 0:
            time.sleep(BEAT)
            self._repeat(beating, BEAT, main)
            return
        threading.Thread(target=_end_with, args=(main,), daemon=True).start()
        # A connection that was lost is made again, as the tasks do it.
        self._repeat(holding, PAUSE, main)
        os.killpg(0, signal.SIGTERM)

    def _repeat(self, command: str, pause: float, main: int) -> None:
        """Until the command says that the run has ended in good order, or another one has taken its place."""
        while _lives(main):
            with contextlib.suppress(Exception):
                if self._low_level_execute_command(command).get("rc") == 0:
                    return
            time.sleep(pause)


def _lives(main: int) -> bool:
    try:
        os.kill(main, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _end_with(main: int) -> None:
    """Wait for the end of a process that is no child, then end this one and the command it runs."""
    try:
        descriptor = os.pidfd_open(main)
    except (AttributeError, OSError):
        while _lives(main):
            time.sleep(1)
    else:
        select.select([descriptor], [], [])
    os.killpg(0, signal.SIGTERM)

"""Runs as `progress` shows them: on a terminal, elsewhere, and with -v."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

NAME = "openclaw.mission_control.progress"
# To cut text, to move the cursor, to set a title; and a tab, which is only wide.
NASTY = "up\x1b[31m\x1b]0;t\x07\u202edown\tx"
CLEANED = "up [31m ]0;t  down"
PASSWORD = "correct horse battery"
ERASE = "\r\x1b[K"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")

WARNING_MODULE = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"text": {"type": "str"}, "fails": {"type": "bool", "default": False}})
module.warn("Beware: " + module.params["text"])
module.deprecate("Old: " + module.params["text"], version="9.9", collection_name="some.thing")
if module.params["fails"]:
    module.fail_json(msg="Broken: " + module.params["text"], stderr="said " + module.params["text"])
module.exit_json(changed=True, diff={"before": "a\\n", "after": module.params["text"] + "\\n"})
"""


@dataclass
class Shown:
    """What a run wrote."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """As it stands there at the end, without colours."""
        kept = re.sub(r"[^\n]*\r\x1b\[K", "", self.raw.replace("\r\n", "\n"))
        return COLOURS.sub("", kept)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def line(self, beginning: str) -> str:
        return next((line for line in self.lines if line.strip().startswith(beginning)), "")

    @property
    def end(self) -> str:
        """Warnings and errors in full, and the last line."""
        return self.text[
            min(self.text.find(word) for word in ("WARNING", "ERROR", "✓", "✗") if word in self.text) :
        ]


class Place:
    """A directory with a playbook, roles and modules."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings: dict[str, str] = {}
        (path / "library").mkdir()
        (path / "library" / "beware.py").write_text(WARNING_MODULE)

    def role(self, name: str, file: str, tasks: list[dict[str, Any]]) -> None:
        path = self.path / "roles" / name / "tasks" / f"{file}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(tasks))

    def play(self, tasks: list[dict[str, Any]], **more: Any) -> None:
        play = {"name": "Deploy it", "hosts": "all", "gather_facts": False, "tasks": tasks, **more}
        (self.path / "play.yml").write_text(yaml.safe_dump([play]))

    def _arguments(self, arguments: tuple[str, ...], hosts: str, *before: str) -> dict[str, Any]:
        return {
            "args": [*before, "ansible-playbook", "-i", hosts, *arguments, "play.yml"],
            "cwd": self.path,
            "env": {
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "HOME": str(self.path),
                "TERM": "xterm",
                "ANSIBLE_STDOUT_CALLBACK": NAME,
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
                "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", ""),
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "ANSIBLE_TRANSPORT": "local",
                **self.settings,
            },
        }

    def run(self, *arguments: str, hosts: str = "one,") -> Shown:
        """Into a pipe."""
        done = subprocess.run(
            **self._arguments(arguments, hosts), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        return Shown(done.returncode, done.stdout.decode())

    def watch(
        self, *arguments: str, hosts: str = "one,", react: Callable[[str, int, int], None] | None = None
    ) -> Shown:
        """On a terminal; `react` sees what stands there, and may answer or send signals."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            **self._arguments(arguments, hosts, "setsid", "--ctty"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        raw, deadline = b"", time.monotonic() + 120
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 1)[0]:
                try:
                    data = os.read(ours, 65536)
                except OSError:
                    break
                if not data:
                    break
                raw += data
                if react is not None:
                    react(raw.decode(errors="replace"), ours, process.pid)
        os.close(ours)
        return Shown(process.wait(30), raw.decode(errors="replace"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def command(name: str, *argv: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "ansible.builtin.command": {"argv": list(argv)}, **more}


def debug(name: str, message: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "ansible.builtin.debug": {"msg": message}, **more}


def fail(name: str, message: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "ansible.builtin.fail": {"msg": message}, **more}


def deployment(place: Place) -> None:
    """Two phases, with what a first deployment has most of: includes, and tasks that change nothing."""
    place.role("redis", "main", [{"name": "Go on", "ansible.builtin.include_tasks": "more.yml"}])
    place.role("redis", "more", [command("Look", "true", changed_when=False), command("Start it", "true")])
    place.role("release", "prepare", [command("Build", "sleep", "2")])
    place.play(
        [
            {"name": "Redis", "ansible.builtin.include_role": {"name": "redis"}},
            {"ansible.builtin.import_role": {"name": "release", "tasks_from": "prepare"}},
        ]
    )


def test_a_pipe_gets_plain_lines_by_phase(place: Place) -> None:
    deployment(place)
    place.settings["OPENCLAW_PROGRESS_STILL"] = "1"
    shown = place.run()
    assert shown.code == 0
    assert "\x1b" not in shown.raw and "\r" not in shown.raw
    told = [re.sub(r" +[\d.]+ s$", "", line).strip() for line in shown.lines if line.strip()]
    assert "running  Build" in told
    told = [line for line in told if not line.startswith("running")]
    assert told[:3] == ["Deploy it", "Redis", "changed  Start it"]
    assert "changed  Build" in told[told.index("release") :]
    assert re.fullmatch(r"✓ Deploy it: done after [\d.]+ s: 2 changed", told[-1])
    assert not re.search(r"Look$|Go on|included|TASK|ok:", "\n".join(told), re.MULTILINE)


def test_a_terminal_has_one_line_that_is_drawn_in_place(place: Place) -> None:
    deployment(place)
    shown = place.watch()
    assert shown.code == 0
    drawn = [COLOURS.sub("", part) for part in shown.raw.split(ERASE)]
    assert any(re.match(r"\S release  [\d.]+ s  Build", part) for part in drawn)
    assert not re.search(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]", shown.text)
    assert re.search(r"(?m)^✓ Redis .*\n    changed  Start it", shown.text)
    assert re.search(r"(?m)^✓ release +[\d.]+ s\n    changed  Build  [\d.]+ s$", shown.text)


def test_a_terminal_that_is_to_be_left_alone_gets_plain_lines(place: Place) -> None:
    deployment(place)
    place.settings["OPENCLAW_PROGRESS_LAYOUT"] = "plain"
    assert ERASE not in place.watch().raw


def test_with_verbosity_everything_is_as_before(place: Place) -> None:
    place.play(
        [
            debug("Say", "something"),
            {"block": [fail("Fail", "bad")], "rescue": [debug("Go on", [1, 2])]},
            fail("Ignore", "{{ item }}", loop=[1, 2], ignore_errors=True),
            {"name": "Assert", "ansible.builtin.assert": {"that": ["1 == 2"]}},
        ]
    )
    ours = place.run("-v")
    place.settings["ANSIBLE_STDOUT_CALLBACK"] = "ansible.builtin.default"
    before = place.run("-v")

    def comparable(shown: Shown) -> list[str]:
        return [
            line for line in shown.lines if not re.search(r"callback|redirecting|Loading|Using module", line)
        ]

    assert comparable(ours) == comparable(before)
    assert ours.code == before.code == 2


def test_failures_are_told_when_they_happen_and_in_full_at_the_end(place: Place) -> None:
    place.play(
        [
            {"block": [fail("Try", "first\nsecond")], "rescue": [debug("Make up for it", "made up")]},
            fail("Let pass", "not so bad", ignore_errors=True),
            fail("Repeat", "item {{ item }}", loop=["a", "b"], ignore_errors=True),
            {"block": [fail("Each", "no {{ item }}", loop=["c", "d"])], "rescue": [debug("Yes", "y")]},
            command("Run", "sh", "-c", "echo out; echo err >&2; exit 3"),
        ]
    )
    shown = place.run()
    assert shown.code == 2
    during, end = shown.text.split("\nERROR", 1)
    assert "failed   Try: first …" in during
    assert "says     Make up for it\n             made up" in during
    assert "ignored  Let pass: not so bad" in during
    assert "ignored  Repeat: item a" in during
    assert during.count("Each: no ") == 2
    assert "  one: Try  (dealt with: the tasks for this case ran)\n  first\n  second\n" in end
    assert "one (item=c): Each" in end and "one (item=d): Each" in end and "One or more items" not in end
    assert re.search(
        r"ERROR  one: Run\n  .*non-zero return code\.?\n  stderr:\n    err\n  stdout:\n    out\n", shown.text
    )
    assert "rc: 3" in end and re.search(r"(?m)^  at /.*/play.yml:\d+$", end)
    assert "Let pass" not in end and "Repeat" not in end
    assert re.search(r"✗ Deploy it: failed in phase tasks after [\d.]+ s: nothing changed", end)


def test_what_debug_says(place: Place) -> None:
    messages = ["a\nb", ["a: b", "c"], {"a": [1], "b": "c"}, [{"a": 1}], ""]
    place.play([debug(f"Say {number}", message) for number, message in enumerate(messages)])
    told = [line.strip() for line in place.run().lines[3:]]
    assert told[: told.index("") - 1] == [
        *("says     Say 0", "a", "b"),
        *("says     Say 1", "a: b", "c"),
        *("says     Say 2", "a:", "- 1", "b: c"),
        *("says     Say 3", "msg:", "-   a: 1"),
    ]


def test_an_error_that_is_handed_on_is_told_once(place: Place) -> None:
    record = fail("Record the failure", "{{ ansible_failed_result.msg }}")
    place.play([{"block": [fail("Try", "the disk is full")], "rescue": [record]}])
    shown = place.run()
    assert shown.code == 2
    assert "ERROR  one: Try\n  the disk is full\n" in shown.text and shown.text.count("\nERROR") == 1


def test_a_mistake_in_an_expression_is_shown_where_it_stands(place: Place) -> None:
    place.play([debug("Say", "{{ nowhere }}")])
    end = place.run().end
    assert "'nowhere' is undefined" in end and "Origin:" in end and "msg: '{{ nowhere }}'" in end


def test_a_host_without_a_way_to_it(place: Place) -> None:
    variables = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    hosts = {"all": {"hosts": {"here": {}, "gone": variables}}}
    (place.path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    place.play([command("Touch", "true"), command("Once more", "true")])
    shown = place.run(hosts="hosts.yml")
    assert shown.code == 4
    assert re.search(r"failed   Touch \(gone\): .*Failed to connect", shown.text)
    assert re.search(r"ERROR  gone: Touch\n  .*Connection refused", shown.text)
    assert "changed  Touch  (here)" in shown.text
    rows = [line.split() for line in shown.lines if line.startswith(("HOST", "gone ", "here "))]
    assert rows == [["HOST", "CHANGED", "UNREACHABLE"], ["gone", "0", "1"], ["here", "2", "0"]]


def test_several_hosts(place: Place) -> None:
    tasks = [
        command("All", "true"),
        command("Some", "true", changed_when="inventory_hostname != 'b'"),
        debug("Say", "I am {{ inventory_hostname }}", when="inventory_hostname != 'c'"),
    ]
    place.play(tasks)
    shown = place.run(hosts="a,b,c")
    assert re.search(r"(?m)^    changed  All(  [\d.]+ s)?$", shown.text)
    assert re.search(r"changed  Some  \((a, c|c, a)\)", shown.text)
    assert "a: I am a" in shown.text and "b: I am b" in shown.text and "I am c" not in shown.text
    place.play(tasks, strategy="free")
    assert re.search(r"changed  All  \(a\)", place.run(hosts="a,b,c").text)


def test_warnings_are_told_in_full_at_the_end_and_once(place: Place) -> None:
    place.play(
        [
            {"name": "First", "beware": {"text": "a " * 80 + "end"}},
            {"name": "Second", "beware": {"text": "b"}},
        ]
    )
    shown = place.run(hosts="one,two")
    assert len([line for line in shown.lines if line.startswith("    warning  Beware: b")]) == 1
    assert re.search(r"WARNING  (one, two|two, one): First\n  Beware: (a )+end\n", shown.text)
    assert "DEPRECATION  " in shown.text and "Old: b. To be removed from some.thing, 9.9." in shown.text
    assert "4 changed, 2 warnings" in shown.lines[-2]
    place.settings["ANSIBLE_DEPRECATION_WARNINGS"] = "false"
    assert "DEPRECATION" not in place.run().text


def test_what_hosts_say_does_not_act_upon_the_terminal(place: Place) -> None:
    text = json.dumps(NASTY)
    say = f"import json; print(json.loads({text!r}))"
    place.play(
        [
            {"name": "Beware", "beware": {"text": NASTY}, "diff": True},
            command("Ask", sys.executable, "-c", say, register="said"),
            debug("Say {{ said.stdout }}", "{{ said.stdout }}"),
            debug("More", {"{{ said.stdout }}": ["{{ said.stdout }}"]}, loop=["{{ said.stdout }}"]),
            fail("Ignore", "{{ said.stdout }}", ignore_errors=True),
            {"block": [fail("Each", "{{ item }}", loop=["{{ said.stdout }}"])], "rescue": [debug("On", "")]},
            {"name": "Break", "beware": {"text": "{{ said.stdout }}", "fails": True}},
        ]
    )
    piped = place.run("--diff")
    assert piped.code == 2
    assert not re.search(r"[^\n -~✓✗…]", piped.raw), re.findall(r"[^\n -~✓✗…]", piped.raw)
    for place_of_it in (
        rf"warning  Beware: {re.escape(CLEANED)}",
        rf"\+{re.escape(CLEANED)}",
        rf"says     Say {re.escape(CLEANED)}",
        rf"ignored  Ignore: {re.escape(CLEANED)}",
        rf"\(item={re.escape(CLEANED)} x\): Each",
        rf"ERROR  one: Break\n  Broken: {re.escape(CLEANED)} +x\n  stderr:\n    said {re.escape(CLEANED)}",
    ):
        assert re.search(place_of_it, piped.text), place_of_it
    watched = place.watch("--diff")
    assert "\x1b]" not in watched.raw and "\x07" not in watched.raw
    assert CLEANED in watched.text and "\x1b[31mup" not in watched.raw


def test_no_log_is_kept(place: Place) -> None:
    (place.path / "secret.txt").write_text(PASSWORD)
    variables = {"secret": "{{ lookup('ansible.builtin.file', 'secret.txt') }}"}
    hidden = {"no_log": True, "ignore_errors": True}
    place.play(
        [
            {"name": "Write", "beware": {"text": "{{ secret }}"}, "diff": True, "no_log": True},
            debug("Say", "{{ secret }}", no_log=True),
            debug("Say each", "{{ item }}", no_log=True, loop=["{{ secret }}"]),
            fail("Let pass", "{{ secret }}", **hidden),
            fail("Let each pass", "{{ item }}", loop=["{{ secret }}"], **hidden),
            {
                "block": [fail("Try", "{{ item }}", loop=["{{ secret }}"], no_log=True)],
                "rescue": [debug("On", "on")],
            },
            {"name": "Break", "beware": {"text": "{{ secret }}", "fails": True}, "no_log": True},
        ],
        vars=variables,
    )
    shown = place.run("--diff")
    assert shown.code == 2
    assert PASSWORD not in shown.raw
    assert "ERROR  one: Break\n  the output has been hidden" in shown.text
    assert "a warning that no_log hides" in shown.text
    assert "item=(censored due to no_log)" in shown.text


def test_check_mode_says_what_would_be_done(place: Place) -> None:
    copy = {"ansible.builtin.copy": {"content": "new\n", "dest": str(place.path / "file")}}
    place.play([{"name": "Write it", **copy}])
    shown = place.run("--check", "--diff")
    assert "Deploy it  (check mode: nothing is changed)" in shown.text
    assert re.search(r"    would    Write it(  [\d.]+ s)?\n +--- before\n(.*\n)+? +\+new\n", shown.text)
    assert shown.lines[-2].endswith(": would change 1")
    assert not (place.path / "file").exists()


def test_a_question_is_not_drawn_over(place: Place) -> None:
    answered: list[bool] = []

    def react(text: str, terminal: int, _process: int) -> None:
        if "Go on?" in text and not answered:
            # Long enough that the line would have been drawn over the question, if it were.
            time.sleep(1)
            answered.append(True)
            os.write(terminal, b"yes\r")

    place.play(
        [
            {"name": "Ask", "ansible.builtin.pause": {"prompt": "Go on?"}, "register": "answer"},
            debug("Tell", "It was {{ answer.user_input }}"),
            command("Wait", "sleep", "1"),
        ]
    )
    shown = place.watch(react=react)
    assert "It was yes" in shown.text
    asked = shown.raw[shown.raw.index("Go on?") :]
    assert ERASE not in asked[: asked.index("\n")]


def test_an_interrupted_run_says_where(place: Place) -> None:
    sent: list[bool] = []

    def react(text: str, _terminal: int, process: int) -> None:
        if "Wait" in text and not sent:
            sent.append(True)
            os.kill(process, signal.SIGINT)

    # Ansible waits for what a task has started.
    place.play([command("Touch", "true"), command("Wait", "sleep", "8")])
    shown = place.watch(react=react)
    assert shown.code == 99
    assert "changed  Touch" in shown.text
    assert re.search(r"✗ stopped in phase tasks after [\d.]+ s", shown.text)


def test_the_log_has_the_lines_without_colours(place: Place) -> None:
    deployment(place)
    place.settings |= {"ANSIBLE_LOG_PATH": str(place.path / "log"), "ANSIBLE_FORCE_COLOR": "1"}
    shown = place.run()
    assert "\x1b[" in shown.raw
    log = (place.path / "log").read_text()
    assert "\x1b" not in log and "changed  Start it" in log


def test_failures_go_to_the_other_stream_when_that_is_wanted(place: Place) -> None:
    place.settings["ANSIBLE_DISPLAY_FAILED_STDERR"] = "true"
    place.play([fail("Try", "broken")])
    done = subprocess.run(**place._arguments((), "one,"), capture_output=True, text=True, check=False)
    assert "ERROR  one: Try" in done.stderr and "ERROR  one" not in done.stdout


def test_a_play_without_hosts(place: Place) -> None:
    place.play([fail("Try", "broken")], hosts="nobody")
    shown = place.run()
    assert shown.code == 0
    assert "no hosts matched" in shown.text and shown.lines[-2].startswith(
        "✓ Deploy it: no host had anything to do"
    )


def test_the_table_of_phases_is_not_shown_beside_it(place: Place) -> None:
    begin = "openclaw.mission_control.deployment_info"
    place.role("deployment", "begin", [{"name": "Begin", begin: {"root": "/nowhere", "user": "root"}}])
    place.play([{"ansible.builtin.import_role": {"name": "deployment", "tasks_from": "begin"}}])
    place.settings["ANSIBLE_CALLBACKS_ENABLED"] = "openclaw.mission_control.phases"
    assert "PHASE" not in place.run().text
    assert "PHASE" in place.run("-v").text

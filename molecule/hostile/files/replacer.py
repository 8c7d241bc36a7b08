#!/usr/bin/env python3
"""Puts something else in the place of what a user owns, runs commands over it, and watches what is root's.

It is asked line by line, in JSON, on standard input, and answers each line with one. A victim is a file or
directory of root's that looks like what it stands for; whoever opens or changes it, even to read, is noticed.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import pwd
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VICTIMS = Path("/srv/victims")
LARGE = 10 * 1024**3
# Bytes of address space for what is run, so that what grows without end does not take the host along.
MOST_SPACE = 4 * 1024**3
CONTROLS = "\x1b]0;PWNED\x07\x1b[2J\x9b31m\u202e\r"
GARBLED = CONTROLS.encode() + b"\xff\xfe\x00\xc3\x28\n" * 40
# Deeper than this only one of a kind is replaced, and of the trees that nobody looks into but who runs them.
DEPTH = 5
MASS = re.compile(
    r"mission-control/shared/(runtimes|frontend-build|source|python)/|\.openclaw/agents/|\.cache/"
    r"|openclaw-gateway/(runtimes|versions)/|mission-control/releases/[^/]+/frontend/\.next/"
)
LEFT_OUT = re.compile(r"/\.stash(/|$)|/node_modules/.|/\.venv/.|/__pycache__(/|$)|/site-packages/.")


# --- what there is ---


def owned(user: str) -> list[dict[str, str]]:
    """Whatever the user could replace below its home: path, kind, and a name for its sort."""
    account = pwd.getpwnam(user)
    found = []
    for directory, names, files in os.walk(account.pw_dir):
        if not writable(Path(directory), account):
            continue
        for name in sorted([*names, *files]):
            path = Path(directory, name)
            if not LEFT_OUT.search(str(path)):
                found.append({"path": str(path), "kind": kind(path), "sort": sort(path, account.pw_dir)})
        names[:] = [name for name in names if not LEFT_OUT.search(f"{directory}/{name}/x")]
    return found


def writable(directory: Path, account: pwd.struct_passwd) -> bool:
    state = directory.lstat()
    return state.st_uid == account.pw_uid and bool(state.st_mode & stat.S_IWUSR)


def kind(path: Path) -> str:
    mode = path.lstat().st_mode
    return "link" if stat.S_ISLNK(mode) else "directory" if stat.S_ISDIR(mode) else "file"


def sort(path: Path, home: str) -> str:
    """Things of one sort are looked at in the same way: no id of a release is in the name."""
    relative = path.relative_to(home).parts
    masked = [re.sub(r"[0-9a-f]{7,}|\d{8}[\dTZ-]*", "*", part) for part in relative]
    if found := MASS.match("/".join(masked)):
        return f"{found[0]}**:{kind(path)}"
    if len(masked) > DEPTH:
        return "/".join([*masked[:DEPTH], f"**{path.suffix or path.name}:{kind(path)}"])
    return "/".join(masked)


# --- what root must not touch ---


class Watch:
    """Everything that happens to the victims, as the kernel tells it."""

    # open, read, write, attributes, made and removed, moved
    EVENTS = 0x20 | 0x1 | 0x2 | 0x4 | 0x100 | 0x200 | 0x40 | 0x80 | 0x400

    def __init__(self, top: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self.names: dict[int, str] = {}
        for path in [top, *sorted(top.rglob("*"))]:
            number = libc.inotify_add_watch(self.descriptor, os.fsencode(path), self.EVENTS)
            if number < 0:
                raise OSError(ctypes.get_errno(), "inotify", str(path))
            self.names[number] = str(path)

    def events(self) -> list[str]:
        found = set()
        while True:
            try:
                data = os.read(self.descriptor, 1 << 16)
            except BlockingIOError:
                break
            while data:
                number, mask, _cookie, length = struct.unpack_from("iIII", data)
                found.add(f"{self.names.get(number, '?')}: event {mask & 0xFFFFFF:#x}")
                data = data[16 + length :]
        return sorted(found)

    def close(self) -> None:
        os.close(self.descriptor)


def make_empty(top: Path) -> None:
    """A file system of the host's own: what walks through the host's directories from outside, as a linter
    of the whole checkout does, does not come into it and is not taken for the host's root."""
    if not top.is_mount():
        top.mkdir(mode=0o755, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,size=64m", "victims", str(top)], check=True)
    for path in top.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def snapshot(top: Path) -> dict[str, list[Any]]:
    """Owner, mode, times and content of everything there."""
    found: dict[str, list[Any]] = {}
    for path in [top, *sorted(top.rglob("*"))]:
        state = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = [
            state.st_uid,
            state.st_gid,
            state.st_mode,
            state.st_mtime_ns,
            state.st_ctime_ns,
            content,
        ]
    return found


def resembling(original: Path, marker: str) -> str:
    """A text like the original's, in which every value is the marker."""
    try:
        text = original.read_text()[: 1 << 20] if original.is_file() else ""
    except UnicodeDecodeError:
        text = ""
    try:
        return json.dumps(filled(json.loads(text), marker))
    except ValueError:
        pass
    lines = [re.sub(r"=.*", f"={marker}", line) for line in text.splitlines()]
    return "\n".join([*lines, marker, ""])


def filled(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {name: filled(item, text) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, text) for item in value]
    return f"{value}{text}" if isinstance(value, str) else value


def make_victim(original: Path, victim: Path, marker: str) -> Path:
    if not original.is_dir():
        victim.write_text(resembling(original, marker))
        victim.chmod(0o600)
        return victim
    victim.mkdir(mode=0o700)
    for name in sorted(below.name for below in original.iterdir())[:40]:
        below = original / name
        if below.is_dir():
            (victim / name).mkdir(mode=0o700)
        else:
            (victim / name).write_text(resembling(below, marker))
            (victim / name).chmod(0o600)
    (victim / "victim.txt").write_text(f"{marker}\n")
    (victim / "victim.txt").chmod(0o600)
    return victim


# --- replacing ---


def as_user(user: str, work: Callable[[], Any]) -> None:
    """Do what only has the user's rights in a child; its failure is ours."""
    account = pwd.getpwnam(user)
    child = os.fork()
    if child == 0:
        try:
            os.initgroups(user, account.pw_gid)
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            os.umask(0o022)
            work()
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError(f"{user} cannot do that")


@dataclass
class Replaced:
    """What was replaced by what, and where it is kept meanwhile."""

    path: Path
    way: str
    stash: Path
    is_directory: bool
    victim: Path
    poisoned: str


class Replacer:
    """Several replacements at a time, none of them below another."""

    def __init__(self) -> None:
        self.marker = ""
        self.user = ""
        self.replaced: list[Replaced] = []
        self.watch: Watch | None = None
        self.before: dict[str, list[Any]] = {}

    def put(self, user: str, items: list[tuple[str, str]], marker: str) -> dict[str, Any]:
        self.user, self.marker, self.replaced = user, marker, []
        stash = Path(pwd.getpwnam(user).pw_dir) / ".stash"
        make_empty(VICTIMS)
        for number, (name, way) in enumerate(items):
            path = Path(name)
            victim = make_victim(path, VICTIMS / str(number), marker)
            poisoned = json_or_settings(path, CONTROLS)
            self.replaced.append(Replaced(path, way, stash / str(number), path.is_dir(), victim, poisoned))
        self.before = snapshot(VICTIMS)
        self.watch = Watch(VICTIMS)

        def work() -> None:
            stash.mkdir(exist_ok=True)
            for one in self.replaced:
                one.path.rename(one.stash)
                place(one)

        as_user(user, work)
        self.watch.events()
        return {}

    def back(self) -> dict[str, Any]:
        """Put all back as it was; tells what became of the victims meanwhile."""
        if self.watch is None:
            raise RuntimeError("nothing was replaced")
        touched = self.watch.events()
        self.watch.close()
        after = snapshot(VICTIMS)
        for name in sorted({*self.before, *after}):
            if self.before.get(name) != after.get(name):
                touched.append(f"{name}: was {self.before.get(name)}, is {after.get(name)}")
        left: set[str] = set()
        for one in self.replaced:
            if not one.path.is_symlink() and one.path.is_file() and one.path.stat().st_size >= LARGE:
                one.path.unlink()
            if not one.path.is_symlink():
                left.update(search([str(one.path)], self.marker))
            # As root: what stands there now may be anybody's.
            if one.path.is_dir() and not one.path.is_symlink():
                shutil.rmtree(one.path)
            else:
                one.path.unlink(missing_ok=True)
        as_user(self.user, lambda: [one.stash.rename(one.path) for one in self.replaced])
        return {"touched": touched, "left": sorted(left)}


def place(one: Replaced) -> None:
    path = one.path
    if one.way == "link":
        path.symlink_to(one.victim)
    elif one.way == "zero":
        path.symlink_to("/dev/zero")
    elif one.way == "pipe":
        os.mkfifo(path)
    elif one.way == "large":
        with path.open("wb") as file:
            file.truncate(LARGE)
    elif one.way == "kind":
        if one.is_directory:
            path.write_text("no directory\n")
        else:
            path.mkdir()
    elif one.way == "garbled":
        if one.is_directory:
            path.mkdir()
            with open(os.fsencode(path) + b"/" + CONTROLS.encode() + b"\xff", "wb") as file:  # noqa: PTH123
                file.write(GARBLED)
        else:
            path.write_bytes(GARBLED)
    elif one.way == "poisoned":
        path.write_text(one.poisoned)
    else:
        raise ValueError(one.way)


def json_or_settings(original: Path, text: str) -> str:
    """The original's form, with something for a terminal in every value."""
    try:
        old = original.read_text() if original.is_file() else ""
    except UnicodeDecodeError:
        old = ""
    try:
        return json.dumps(filled(json.loads(old), text), ensure_ascii=False)
    except ValueError:
        return "\n".join([*(f"{line}{text.strip()}" for line in old.splitlines()), text, ""])


def search(tops: list[str], text: str) -> Iterator[str]:
    """Files that hold a text, victims left out."""
    argv = ["timeout", "60", "grep", "-rlsaF", "--devices=skip", f"--exclude-dir={VICTIMS}"]
    argv += ["--exclude-dir=node_modules", "--exclude-dir=.venv", "--exclude-dir=.stash", "--max-count=1"]
    done = subprocess.run([*argv, "--", text, *tops], capture_output=True, text=True, check=False)
    yield from done.stdout.splitlines()


# --- running ---


def run(argv: list[str], seconds: float, user: str = "") -> dict[str, Any]:
    """How a command ends: status, output, seconds, and the most memory of any of its processes, in MB."""
    began = time.monotonic()
    child = subprocess.Popen(
        ["prlimit", f"--as={MOST_SPACE}", "--", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        cwd="/",
        env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME": "/root", "LANG": "C.UTF-8"},
        user=user or None,
    )
    if child.stdout is None:
        raise RuntimeError("a pipe was asked for")
    late = False
    os.set_blocking(child.stdout.fileno(), False)
    parts: list[bytes] = []
    usage = None
    while usage is None:
        parts.append(child.stdout.read(1 << 16) or b"")
        number, status, found = os.wait4(child.pid, os.WNOHANG)
        if number:
            usage = found
        elif time.monotonic() - began > seconds:
            late = True
            os.killpg(child.pid, signal.SIGKILL)
            usage = os.wait4(child.pid, 0)[2]
            status = 9
        else:
            time.sleep(0.02)
    parts.append(child.stdout.read(1 << 20) or b"")
    child.stdout.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    return {
        "status": child.returncode,
        "late": late,
        "output": b"".join(parts).decode("utf-8", "surrogateescape"),
        "seconds": time.monotonic() - began,
        "megabytes": usage.ru_maxrss // 1024,
    }


def run_all(commands: list[list[str]], seconds: float) -> dict[str, Any]:
    """Several commands, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return {"found": list(pool.map(lambda argv: run(argv, seconds), commands))}


def journal(text: str) -> dict[str, Any]:
    """How many lines of the journal hold a text."""
    done = subprocess.run(
        ["journalctl", "--no-pager", "-q", "-b", "-o", "cat", "--all"], capture_output=True, check=True
    )
    return {
        "lines": [
            line.decode("utf-8", "replace") for line in done.stdout.splitlines() if text.encode() in line
        ]
    }


def main() -> None:
    replacer = Replacer()
    answers: dict[str, Callable[..., Any]] = {
        "owned": lambda user: {"found": owned(user)},
        "put": replacer.put,
        "back": replacer.back,
        "run": run_all,
        "journal": journal,
        "search": lambda tops, text: {"found": list(search(tops, text))},
    }
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = answers[asked.pop("do")](**asked)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

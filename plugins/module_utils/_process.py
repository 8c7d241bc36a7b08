# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts, commands run as an account, and what /proc says about processes.

Nothing here knows Ansible. The directory of /proc, the clock and the sleep are arguments,
so that tests feed recorded trees.
"""

from __future__ import annotations

import contextlib
import grp
import hashlib
import os
import pwd
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

PROC = Path("/proc")
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Set by systemd for each start, so they differ between two starts of the same thing.
VOLATILE_NAMES = frozenset(
    {
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "LISTEN_FDNAMES",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_PIDFDID",
        "MAINPID",
        "MANAGERPID",
        "MANAGERPIDFDID",
        "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE",
        "NOTIFY_SOCKET",
        "SYSTEMD_EXEC_PID",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
    }
)


class HostError(Exception):
    """Something about the host that an operator can put right."""

    def __init__(self, message: str, *, kind: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.remedy = remedy

    def result(self) -> dict[str, Any]:
        """The arguments of fail_json."""
        return {"msg": f"{self.message} {self.remedy}"}


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int
    home: str
    shell: str = "/bin/sh"
    groups: tuple[int, ...] = ()

    @property
    def runtime_directory(self) -> str:
        return f"/run/user/{self.uid}"


def find_account(name: str | None = None) -> Account:
    """Look an account up; without a name, the one this process runs as."""
    try:
        entry = pwd.getpwuid(os.geteuid()) if name is None else pwd.getpwnam(name)
    except KeyError:
        shown = f"UID {os.geteuid()}" if name is None else name
        raise HostError(
            f"There is no user {shown} on this host.",
            kind="no_such_user",
            remedy="Create it (the role openclaw.mission_control.common does), or name another user.",
        ) from None
    groups = tuple(sorted(set(os.getgrouplist(entry.pw_name, entry.pw_gid))))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell, groups)


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def expand_home(path: str, account: Account | None) -> str:
    """Expand a leading ~ to the home of the account (not of whoever runs)."""
    if path == "~" or path.startswith("~/"):
        home = account.home if account is not None else find_account().home
        return home + path[1:]
    return path


def user_environment(account: Account) -> dict[str, str]:
    """The environment of a command run as the account: nothing is inherited."""
    return {
        "HOME": account.home,
        "USER": account.name,
        "LOGNAME": account.name,
        "SHELL": account.shell,
        "PATH": SEARCH_PATH,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "XDG_RUNTIME_DIR": account.runtime_directory,
    }


@dataclass(frozen=True)
class Completed:
    argv: tuple[str, ...]
    returncode: int
    stdout: str = ""
    stderr: str = ""

    @property
    def ok(self) -> bool:
        return self.returncode == 0

    @property
    def complaint(self) -> str:
        """What the command said about its failure, in one line."""
        text = self.stderr.strip() or self.stdout.strip() or f"exit status {self.returncode}"
        return " ".join(text.split())


class Runner(Protocol):
    def __call__(
        self,
        argv: Sequence[str],
        *,
        account: Account | None = None,
        timeout: float = 60.0,
        input: str | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Completed: ...


def _identity(account: Account | None) -> dict[str, Any]:
    """The arguments of Popen that make the child run as the account."""
    if account is None or account.uid == os.geteuid():
        return {}
    if os.geteuid() != 0:
        raise HostError(
            f"{user_name(os.geteuid())} cannot act for the user {account.name}.",
            kind="not_permitted",
            remedy=f"Run as root (become: true) or as {account.name}.",
        )
    return {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}


def _child_environment(account: Account | None, extra: Mapping[str, str] | None) -> dict[str, str]:
    if account is None:
        environment = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/"}
        environment["HOME"] = os.environ.get("HOME", "/")
    else:
        environment = user_environment(account)
    environment.update(extra or {})
    return environment


def run(
    argv: Sequence[str],
    *,
    account: Account | None = None,
    timeout: float = 60.0,
    input: str | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Completed:
    """Run a command in a clean environment, as the account where one is given."""
    try:
        done = subprocess.run(
            list(argv),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            env=_child_environment(account, environment),
            cwd=cwd or "/",
            check=False,
            **_identity(account),
        )
    except subprocess.TimeoutExpired:
        raise HostError(
            f"{argv[0]} did not finish within {timeout:g} s.",
            kind="timeout",
            remedy="See whether the host is overloaded, or allow more time.",
        ) from None
    except FileNotFoundError:
        raise HostError(
            f"The command {argv[0]} is not installed on this host.",
            kind="no_such_command",
            remedy=f"Install the package that brings {argv[0]}.",
        ) from None
    return Completed(tuple(argv), done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def stream(argv: Sequence[str], *, account: Account | None = None) -> Generator[Iterator[bytes]]:
    """Lines of a command's output, one at a time; the command ends with the block.

    A command that fails after its output raises HostError (kind "failed") with what it said.
    """
    try:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_child_environment(account, None),
            cwd="/",
            **_identity(account),
        )
    except FileNotFoundError:
        raise HostError(
            f"The command {argv[0]} is not installed on this host.",
            kind="no_such_command",
            remedy=f"Install the package that brings {argv[0]}.",
        ) from None
    output, complaints = child.stdout, child.stderr
    assert output is not None and complaints is not None  # noqa: S101 - both are pipes
    try:
        yield _lines_then_status(child, output, complaints)
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        output.close()
        complaints.close()


def _lines_then_status(
    child: subprocess.Popen[bytes], output: IO[bytes], complaints: IO[bytes]
) -> Iterator[bytes]:
    yield from output
    said = complaints.read(4096).decode("utf-8", "replace").strip()
    if child.wait() != 0:
        raise HostError(said or f"exit status {child.returncode}", kind="failed")


@contextlib.contextmanager
def acting_as(account: Account | None) -> Generator[None]:
    """Touch files with the rights of the account, so that its symbolic links lead nowhere new."""
    if account is None or os.geteuid() == account.uid:
        yield
        return
    if os.geteuid() != 0:
        _identity(account)  # raises, naming the remedy
    uid, gid, groups = os.geteuid(), os.getegid(), os.getgroups()
    os.setgroups(account.groups)
    os.setegid(account.gid)
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)


# --- /proc ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProcessEvidence:
    pid: int
    ppid: int
    uid: int
    name: str
    command: tuple[str, ...]
    state: str
    exe: str | None
    cwd: str | None
    started: float
    rss_bytes: int
    cpu_seconds: float
    threads: int
    seccomp: int
    no_new_privs: bool
    namespaces: dict[str, int]
    environment_digest: str | None
    unit: str | None
    deleted: bool


_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_DELETED = " (deleted)"


def boot_time(proc: Path = PROC) -> float:
    """The time of the boot as epoch seconds, as this kernel tells it."""
    for line in (proc / "stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    raise HostError(f"{proc}/stat names no boot time.", kind="no_proc", remedy="Mount /proc.")


def _stat_fields(pid: int, proc: Path) -> list[str] | None:
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the name in parentheses and may hold anything, parentheses included.
    return text[text.rindex(")") + 2 :].split()


def _link(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:
        return None


def _status(pid: int, proc: Path) -> dict[str, str]:
    fields: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in (proc / str(pid) / "status").read_text(errors="replace").splitlines():
            key, _separator, value = line.partition(":")
            fields[key] = value.strip()
    return fields


def unit_of_process(pid: int, proc: Path = PROC) -> str | None:
    """The innermost systemd unit whose control group holds the process."""
    try:
        text = (proc / str(pid) / "cgroup").read_text()
    except OSError:
        return None
    for line in text.splitlines():
        hierarchy, controllers, path = line.split(":", 2)
        if hierarchy != "0" and controllers != "name=systemd":
            continue
        for part in reversed(path.split("/")):
            if part.endswith((".service", ".scope", ".socket", ".mount")):
                return _unescape_unit(part)
    return None


def _unescape_unit(name: str) -> str:
    # A control group of a unit whose name could be taken for a kernel file starts with "_".
    return name.removeprefix("_")


def process_evidence(pid: int, proc: Path = PROC) -> ProcessEvidence | None:
    """Everything /proc tells about a process; None when it is gone."""
    fields = _stat_fields(pid, proc)
    if fields is None:
        return None
    status = _status(pid, proc)
    try:
        command = (proc / str(pid) / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return None
    exe, cwd = _link(proc / str(pid) / "exe"), _link(proc / str(pid) / "cwd")
    namespaces: dict[str, int] = {}
    for kind in ("user", "mnt", "net", "pid"):
        link = _link(proc / str(pid) / "ns" / kind)
        if link is not None and "[" in link:
            namespaces[kind] = int(link[link.index("[") + 1 : -1])
    environment = read_environment(pid, proc)
    return ProcessEvidence(
        pid=pid,
        ppid=int(fields[1]),
        uid=int((status.get("Uid") or "-1").split()[0]),
        name=status.get("Name", ""),
        command=tuple(part.decode("utf-8", "replace") for part in command if part),
        state=fields[0],
        exe=exe.removesuffix(_DELETED) if exe else None,
        cwd=cwd.removesuffix(_DELETED) if cwd else None,
        started=boot_time(proc) + int(fields[19]) / _TICKS,
        rss_bytes=int(fields[21]) * _PAGE,
        cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS,
        threads=int(fields[17]),
        seccomp=int(status.get("Seccomp") or 0),
        no_new_privs=status.get("NoNewPrivs") == "1",
        namespaces=namespaces,
        environment_digest=None if environment is None else environment_digest(environment),
        unit=unit_of_process(pid, proc),
        deleted=any(link is not None and link.endswith(_DELETED) for link in (exe, cwd)),
    )


def all_pids(proc: Path = PROC) -> list[int]:
    return sorted(int(entry.name) for entry in os.scandir(proc) if entry.name.isdigit())


def processes_of_unit(unit: str, uid: int | None = None, proc: Path = PROC) -> list[int]:
    """The processes in the control group of a unit, of one user where a UID is given."""
    found = []
    for pid in all_pids(proc):
        if uid is not None:
            try:
                if (proc / str(pid)).stat().st_uid != uid:
                    continue
            except OSError:
                continue
        if unit_of_process(pid, proc) == unit:
            found.append(pid)
    return found


def cpu_seconds(pid: int, proc: Path = PROC) -> float | None:
    fields = _stat_fields(pid, proc)
    return None if fields is None else (int(fields[11]) + int(fields[12])) / _TICKS


def cpu_shares(
    pids: Sequence[int],
    interval: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    proc: Path = PROC,
) -> dict[int, float]:
    """How much of one core each process used over the interval; those that ended are left out."""
    before = {pid: cpu_seconds(pid, proc) for pid in pids}
    start = clock()
    sleep(interval)
    elapsed = max(clock() - start, 1e-9)
    shares = {}
    for pid, first in before.items():
        last = cpu_seconds(pid, proc)
        if first is not None and last is not None:
            shares[pid] = max(last - first, 0.0) / elapsed
    return shares


# --- environment ---------------------------------------------------------------------------------


def read_environment(pid: int, proc: Path = PROC) -> dict[str, str] | None:
    """A process's environment. It holds secrets: compare it, never return it."""
    try:
        raw = (proc / str(pid) / "environ").read_bytes()
    except OSError:
        return None
    environment = {}
    for part in raw.split(b"\0"):
        name, separator, value = part.decode("utf-8", "surrogateescape").partition("=")
        if separator:
            environment[name] = value
    return environment


def environment_digest(environment: Mapping[str, str], names: Iterable[str] | None = None) -> str:
    """One digest of the values; without names, of all but what changes with every start."""
    chosen = set(environment) - VOLATILE_NAMES if names is None else set(names)
    digest = hashlib.sha256()
    for name in sorted(chosen):
        value = environment.get(name)
        item = f"{name}\0" if value is None else f"{name}={value}\0"
        digest.update(item.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def environment_differences(pid: int, expected: Mapping[str, str], proc: Path = PROC) -> list[str] | None:
    """The names whose value in the process is not the expected one; None when it cannot be read."""
    actual = read_environment(pid, proc)
    if actual is None:
        return None
    return sorted(name for name, value in expected.items() if actual.get(name) != value)


def parse_environment_file(text: str) -> dict[str, str]:
    """Read a file as systemd reads EnvironmentFile=.

    Comments start with # or ; at the start of a line, a backslash continues a line or protects the
    next character, single and double quotes group, and blanks around an unquoted value are dropped.
    """
    result: dict[str, str] = {}
    position, length = 0, len(text)
    while position < length:
        while position < length and text[position] in " \t\r\n":
            position += 1
        if position >= length:
            break
        if text[position] in "#;":
            while position < length and text[position] != "\n":
                if text[position] == "\\":
                    position += 1
                position += 1
            continue
        end = position
        while end < length and text[end] not in "=\n":
            end += 1
        name = text[position:end].strip()
        if end >= length or text[end] == "\n":
            position = end + 1
            continue
        value, position = _environment_value(text, end + 1)
        if name:
            result[name] = value
    return result


def _environment_value(text: str, position: int) -> tuple[str, int]:
    length = len(text)
    value: list[str] = []
    kept = 0  # how much of the value an unquoted trailing blank may not take away
    while position < length and text[position] in " \t":
        position += 1
    while position < length and text[position] != "\n":
        character = text[position]
        if character == "\\":
            position += 1
            if position < length and text[position] != "\n":
                value.append(text[position])
                kept = len(value)
        elif character == "'" or character == '"':
            position += 1
            while position < length and text[position] != character:
                if character == '"' and text[position] == "\\" and position + 1 < length:
                    position += 1
                    if text[position] == "\n":
                        position += 1
                        continue
                    if text[position] not in '"\\`$':
                        value.append("\\")
                value.append(text[position])
                position += 1
            kept = len(value)
        else:
            value.append(character)
            if character not in " \t\r":
                kept = len(value)
        position += 1
    return "".join(value[:kept]), position + 1


# --- listening sockets ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Listener:
    protocol: str
    address: str
    port: int
    uid: int
    pid: int | None
    pids: tuple[int, ...]
    command: str
    unit: str | None


_LISTEN = "0A"


def _decode_address(text: str) -> str:
    raw = bytes.fromhex(text)
    # The kernel prints each 32-bit word in the byte order of the machine.
    words = b"".join(struct.pack("=I", word) for word in struct.unpack(f">{len(raw) // 4}I", raw))
    if len(words) == 4:
        return socket.inet_ntop(socket.AF_INET, words)
    address = socket.inet_ntop(socket.AF_INET6, words)
    return address.removeprefix("::ffff:") if address.count(".") == 3 else address


def _listening_sockets(proc: Path) -> Iterator[tuple[str, str, int, int, str]]:
    for protocol in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / protocol).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) < 10 or fields[3] != _LISTEN:
                continue
            address, _colon, port = fields[1].partition(":")
            yield protocol, _decode_address(address), int(port, 16), int(fields[7]), fields[9]


def _socket_owners(inodes: Collection[str], proc: Path) -> dict[str, list[int]]:
    owners: dict[str, list[int]] = {}
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for pid in all_pids(proc):
        try:
            descriptors = [entry.name for entry in os.scandir(proc / str(pid) / "fd")]
        except OSError:
            continue
        for descriptor in descriptors:
            inode = wanted.get(_link(proc / str(pid) / "fd" / descriptor) or "")
            if inode is not None and pid not in owners.setdefault(inode, []):
                owners[inode].append(pid)
    return owners


def listeners(proc: Path = PROC, ports: Collection[int] | None = None) -> list[Listener]:
    """The listening TCP sockets with their owners (of every user for root, else one's own).

    A socket of a socket unit is held by the manager and by its service: the service is named first.
    """
    sockets = [entry for entry in _listening_sockets(proc) if not ports or entry[2] in ports]
    owners = _socket_owners({entry[4] for entry in sockets}, proc) if sockets else {}
    found = []
    for protocol, address, port, uid, inode in sockets:
        pids = owners.get(inode, [])
        status = {pid: _status(pid, proc) for pid in pids}
        pids = sorted(pids, key=lambda pid: (status[pid].get("Name") == "systemd", pid))
        first = pids[0] if pids else None
        found.append(
            Listener(
                protocol=protocol,
                address=address,
                port=port,
                uid=uid,
                pid=first,
                pids=tuple(pids),
                command=status[first].get("Name", "") if first is not None else "",
                unit=unit_of_process(first, proc) if first is not None else None,
            )
        )
    return sorted(found, key=lambda entry: (entry.port, entry.protocol, entry.address))

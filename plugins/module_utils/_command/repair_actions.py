# SPDX-License-Identifier: GPL-3.0-or-later
"""What `repair` can do by itself on a host, by the names of the actions in `_cures`.

What is to be done comes from a process of the application's user, so nothing of it is believed: an action is
one of these, a unit is one of this host's services, a process is told something as the user whose it is, and
what root does is written here in full. Data of the application are not touched by any of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .._application.components import service_unit
from .._application.installation import Installation
from .._application.layout import Layout
from .._backup.here import open_here
from .._cures import Cure
from .._host.accounts import Account, expand_home, find_account
from .._host.commands import run
from .._host.errors import HostError
from .._host.locks import deployment_lock
from .._host.privileges import as_user
from .._host.proc_files import owner_of
from .._host.reachable import is_this_host
from .._host.system_manager import SystemManager
from .._host.systemd import UserManager
from .._host.unit_names import unit_name
from .._redaction import Redactor
from .._release import pruning
from .._services.control import Services, plan
from .common import Configuration

# Releases that are left where room is needed: the one that serves, and the one to go back to.
KEEP = 2
# Seconds for a user's manager to come up, and for a process to end.
COMES_UP, ENDS = 30.0, 20.0


@dataclass
class Site:
    """The host that is repaired."""

    configuration: Configuration
    account: Account
    gateway: Account | None
    root: str
    timeout: float = 180.0

    @property
    def accounts(self) -> list[Account]:
        """Whose units run here."""
        others = [self.gateway] if self.gateway and self.gateway.uid != self.account.uid else []
        return [self.account, *others]

    def services(self) -> Services:
        redactor = Redactor()
        # Its secrets are kept out of journal lines.
        _ = Installation(user=self.account.name, root=self.root, env_file="", redactor=redactor).environment
        return Services(self.account, self.root, redactor=redactor, gateway_account=self.gateway)

    def service_of(self, unit: str) -> str:
        """The service that a unit is of."""
        for service in self.configuration.services:
            if service_unit(service) == unit_name(unit):
                return service
        raise HostError(f"There is no service of this host with the unit {unit}.", kind="not_here")

    def has(self, unit: str) -> bool:
        """Whether a unit is of a service of this host."""
        return any(service_unit(service) == unit_name(unit) for service in self.configuration.services)

    def manager_of(self, unit: str) -> UserManager:
        return self.services().manager_of(self.service_of(unit))


def site_of(configuration: Configuration) -> Site:
    """This host, by the configuration of the command."""
    account = find_account(configuration.user)
    gateway = find_account(configuration.user_of("gateway")) if "gateway" in configuration.services else None
    return Site(configuration, account, gateway, expand_home(configuration.root, account))


def _done(complaint: str) -> None:
    if complaint:
        raise HostError(complaint, kind="failed")


def _operated(state: str) -> Callable[[Site, str], None]:
    def operate(site: Site, target: str) -> None:
        services = site.services()
        for action in plan(services.states([site.service_of(target)]), state):
            services.carry_out(action, site.timeout)

    return operate


def _told(verb: str) -> Callable[[Site, str], None]:
    def tell(site: Site, target: str) -> None:
        told = site.manager_of(target).call(verb, "--", unit_name(target))
        _done("" if told.ok else f"systemctl could not {verb} {target}: {told.complaint}")

    return tell


def _reload(site: Site, target: str) -> None:
    told = site.manager_of(target).call("daemon-reload")
    _done("" if told.ok else f"systemctl could not read its files anew: {told.complaint}")
    _operated("restarted")(site, target)


def _signalled(site: Site, pids: list[int], number: signal.Signals) -> None:
    """As the user whose process it is, who can do no harm to others'."""
    for pid in pids:
        uid = owner_of(pid)
        if uid is None:
            continue
        account = next((one for one in site.accounts if one.uid == uid), None)
        if account is None:
            raise HostError(f"Process {pid} belongs to somebody else.", kind="not_permitted")
        as_user(account.name, lambda _account, pid=pid: _tell(pid, number))  # type: ignore[misc]


def _tell(pid: int, number: signal.Signals) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    return True


def _numbers(target: str) -> list[int]:
    return [int(word) for word in target.split() if word.isascii() and word.isdigit() and int(word) > 1]


def _let_go(site: Site, target: str) -> None:
    _signalled(site, _numbers(target), signal.SIGCONT)


def _end(site: Site, target: str) -> None:
    pids = _numbers(target)
    mains = {state.pid for state in site.services().states(site.configuration.services).values()}
    _signalled(site, [pid for pid in pids if pid not in mains], signal.SIGTERM)
    deadline = time.monotonic() + ENDS
    while any(owner_of(pid) is not None for pid in pids if pid not in mains):
        if time.monotonic() > deadline:
            raise HostError(f"A process of {target} does not end.", kind="timeout")
        time.sleep(0.2)


def _came_up(manager: UserManager) -> None:
    deadline = time.monotonic() + COMES_UP
    while not manager.running:
        if time.monotonic() > deadline:
            manager.require()
        time.sleep(0.2)


def _linger(site: Site, _target: str) -> None:
    for account in site.accounts:
        manager = UserManager(account)
        if not manager.lingering:
            told = run(["loginctl", "enable-linger", account.name])
            _done("" if told.ok else told.complaint)
            _came_up(manager)


def _start_manager(site: Site, _target: str) -> None:
    for account in site.accounts:
        manager = UserManager(account)
        if not manager.running:
            told = SystemManager().call("start", f"user@{account.uid}.service", timeout=90)
            _done("" if told.ok else told.complaint)
            _came_up(manager)


def _continue_manager(site: Site, _target: str) -> None:
    for account in site.accounts:
        arguments = ("kill", "--kill-whom=main", "--signal=SIGCONT", f"user@{account.uid}.service")
        _done("" if (told := SystemManager().call(*arguments)).ok else told.complaint)


def _close_settings(site: Site, _target: str) -> None:
    def close(_account: Account) -> bool:
        (Path(site.root) / "current/backend/.env").chmod(0o600)
        return True

    as_user(site.account.name, close)


def _make_room(site: Site, _target: str) -> None:
    """The journal, downloaded packages, and releases that nobody goes back to."""
    for argv in (["journalctl", "--vacuum-size=200M"], ["apt-get", "clean"]):
        _done("" if (told := run(argv, timeout=120)).ok else told.complaint)

    def prune(_account: Account) -> list[str]:
        layout = Layout(Path(site.root))
        with deployment_lock(layout.lock, purpose="making room", timeout=0):
            return pruning.prune(layout, KEEP, pruning.running_releases(layout))

    as_user(site.account.name, prune)


def _unlock_backups(_site: Site, _target: str) -> None:
    # Without more words restic removes what runs of this host have left that are dead.
    open_here()[1].run("unlock", what="Removing locks of dead runs")


def _started(unit: str) -> Callable[[Site, str], None]:
    def start(_site: Site, _target: str) -> None:
        _done("" if (told := SystemManager().call("start", unit, timeout=120)).ok else told.complaint)

    return start


def _nothing(_site: Site, _target: str) -> None:
    """It comes by itself."""


class Action(NamedTuple):
    """How something is done, in words and in fact; `root`: by root alone; `here`: whether it is here."""

    words: str
    work: Callable[[Site, str], None]
    root: bool = False
    here: Callable[[Site, str], bool] = lambda _site, _target: True


def _ours(site: Site, target: str) -> bool:
    return site.has(target)


def _local(_site: Site, target: str) -> bool:
    return is_this_host("" if target == "the local socket" else target)


ACTIONS: Mapping[str, Action] = {
    "start": Action("start {target}", _operated("started"), here=_ours),
    "restart": Action("restart {target}", _operated("restarted"), here=_ours),
    "enable": Action("have {target} started at boot", _told("enable"), here=_ours),
    "unmask": Action("unmask {target}", _told("unmask"), here=_ours),
    "reload": Action("have systemd read the file of {target}, and restart it", _reload, here=_ours),
    "let_go": Action("let process {target} go on", _let_go),
    "end": Action("end process {target}", _end),
    "close_settings": Action("take the settings' rights from others", _close_settings),
    "wait": Action("wait", _nothing),
    "linger": Action("let the units run without a login", _linger, root=True),
    "start_manager": Action("start the user's systemd manager", _start_manager, root=True),
    "continue_manager": Action("let the user's systemd manager go on", _continue_manager, root=True),
    "make_room": Action(
        "make room: old entries of the journal, downloaded packages, old releases", _make_room, root=True
    ),
    "unlock_backups": Action("remove the locks of backups that died", _unlock_backups, root=True),
    "start_postgresql": Action("start PostgreSQL", _started("postgresql"), root=True, here=_local),
    "start_redis": Action("start Redis", _started("redis-server"), root=True, here=_local),
}


def described(cure: Cure) -> str:
    """An action in words."""
    return ACTIONS[cure.action].words.format(target=cure.target)


@contextlib.contextmanager
def tried() -> Iterator[list[str]]:
    """What went wrong, as a list of one sentence or none."""
    wrong: list[str] = []
    try:
        yield wrong
    except HostError as error:
        wrong.append(f"{error.message} {error.remedy}".strip())
    except OSError as error:
        wrong.append(f"{error.strerror or error}")

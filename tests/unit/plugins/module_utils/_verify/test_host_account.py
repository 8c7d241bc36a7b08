"""An account that ends, and a journal that does not grow."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import ageing, journal_storage
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.host_account import (
    judge_ageing,
    judge_journal,
)

TODAY = datetime.date(2026, 11, 28)
CHAGE = """Last password change\t\t\t\t\t: 2026-01-01
Password expires\t\t\t\t\t: {password}
Password inactive\t\t\t\t\t: never
Account expires\t\t\t\t\t\t: {account}
Minimum number of days between password change\t\t: 0
"""
CONFIGURATION = """# /etc/systemd/journald.conf
#  This file is part of systemd.
[Journal]
#Storage=auto
# /etc/systemd/journald.conf.d/50-mission-control.conf
# Written by the Ansible collection openclaw.mission_control: journalctl --user reads only a journal on disk.
[Journal]
Storage=persistent
SystemMaxUse=1G
"""
FOREIGN = """
# /etc/systemd/journald.conf.d/90-admin.conf
[Journal]
Storage = Volatile
"""


@pytest.mark.parametrize(
    ("password", "account", "state", "kind", "remedy"),
    [
        ("never", "never", "pass", "", ""),
        ("2026-11-28", "never", "fail", "account_expired", "chage"),
        ("password must be changed", "never", "fail", "account_expired", "--lastday"),
        ("never", "1970-01-02", "fail", "account_expired", "usermod --expiredate '' app"),
        ("2027-02-01", "never", "warn", "account_expires", "chage"),
        ("2027-02-01", "2027-01-01", "warn", "account_expires", "usermod"),
    ],
)
def test_an_account_that_ends(password: str, account: str, state: str, kind: str, remedy: str) -> None:
    found = ageing.parse(CHAGE.format(password=password, account=account))
    verdict = judge_ageing("app", lambda _user: found, lambda: TODAY)
    assert (verdict.state, verdict.kind) == (state, kind)
    assert remedy in verdict.remedy and bool(verdict.cause) == bool(kind)


def test_an_account_that_is_not_of_this_hosts_files_is_not_judged() -> None:
    assert judge_ageing("nobody-like-that").state == "skip"
    assert ageing.ageing(find_account().name).known, "chage tells nothing of one's own account"


@pytest.mark.parametrize(
    ("text", "flushed", "state", "told"),
    [
        (CONFIGURATION, True, "pass", ""),
        (
            CONFIGURATION + FOREIGN,
            True,
            "warn",
            "Storage=volatile in /etc/systemd/journald.conf.d/90-admin.conf",
        ),
        (CONFIGURATION.replace("persistent", "none"), True, "warn", "Storage=none in"),
        (CONFIGURATION, False, "warn", "has not moved to the disk"),
        ("", True, "pass", ""),
    ],
)
def test_a_journal_that_is_not_kept(tmp_path: Path, text: str, flushed: bool, state: str, told: str) -> None:
    mark = tmp_path / "journal/flushed"
    assert judge_journal(journal_storage.Storage, mark).state == "skip"
    mark.parent.mkdir()
    if flushed:
        mark.touch()
    verdict = judge_journal(lambda: journal_storage.parse(text), mark)
    assert verdict.state == state and told in verdict.cause
    assert verdict.kind == ("journal_not_kept" if told else "")

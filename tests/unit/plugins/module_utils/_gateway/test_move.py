# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What comes through the stream from the old user to the new one, and what does not."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import move as _move
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import placement_record
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.plan import Layout, Request
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import (
    Account,
    find_account,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.acting_as import acting_as
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError

OLD, NEW = "/home/app/.openclaw", "/home/openclaw/.openclaw"
TOKEN = "0123456789abcdef0123456789abcdef"


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, mode
    made.uid = made.gid = 0
    return made


def unpack(target: Path, *members: tuple[tarfile.TarInfo, bytes]) -> _move.Unpacked:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for entry, text in members:
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    stream.seek(0)
    target.mkdir(exist_ok=True)
    return _move.unpack(stream, target, (OLD, NEW))


def test_files_directories_and_links_inside_come_along(tmp_path: Path) -> None:
    target = tmp_path / "to"
    found = unpack(
        target,
        (member("./workspace", tarfile.DIRTYPE, mode=0o755), b""),
        (member("./workspace/run", mode=0o755), b"#!/bin/sh\n"),
        (member("./workspace/link", tarfile.SYMTYPE, "run"), b""),
        (member("./deep/full", tarfile.SYMTYPE, f"{OLD}/workspace/run"), b""),
    )
    assert found.skipped == [] and found.files == 1
    assert (target / "workspace/link").read_text() == "#!/bin/sh\n"
    assert os.access(target / "workspace/run", os.X_OK)
    assert str((target / "deep/full").readlink()) == "../workspace/run"


@pytest.mark.parametrize(
    "entry",
    [
        member("./link", tarfile.SYMTYPE, "/etc/shadow"),
        member("./link", tarfile.SYMTYPE, "../../../etc/shadow"),
        member("./link", tarfile.LNKTYPE, "/etc/shadow"),
        member("./link", tarfile.LNKTYPE, "../outside"),
        member("./pipe", tarfile.FIFOTYPE),
        member("./device", tarfile.CHRTYPE),
        member("../outside"),
        member("./a/../../outside"),
    ],
    ids=lambda entry: f"{entry.name} {entry.linkname}".strip(),
)
def test_what_leads_outside_or_is_no_file_does_not(tmp_path: Path, entry: tarfile.TarInfo) -> None:
    outside = tmp_path / "outside"
    outside.write_text("as it was")
    found = unpack(tmp_path / "to", (entry, b""))
    assert len(found.skipped) == 1 and found.files == 0
    assert list((tmp_path / "to").iterdir()) == []
    assert outside.read_text() == "as it was" and outside.stat().st_nlink == 1


def test_a_file_below_a_link_that_was_sent_before_stays_inside(tmp_path: Path) -> None:
    found = unpack(
        tmp_path / "to",
        (member("./a/b", tarfile.DIRTYPE, mode=0o755), b""),
        (member("./a/b/up", tarfile.SYMTYPE, "../.."), b""),
        (member("./a/b/up/../escaped"), b"x"),
    )
    assert [str(path) for path in tmp_path.glob("*escaped*")] == []
    assert len(found.skipped) + found.files == 1


def test_special_permissions_are_left_behind(tmp_path: Path) -> None:
    unpack(tmp_path / "to", (member("./tool", mode=0o6777), b""))
    assert (tmp_path / "to/tool").stat().st_mode & 0o7022 == 0


def test_settings_and_records_name_the_new_place(tmp_path: Path) -> None:
    settings = {
        "agents": {"list": [{"id": "a", "workspace": f"{OLD}/workspace-a"}]},
        "other": f"{OLD}-kept and /srv{OLD}/x",
    }
    head = json.dumps({"type": "session", "cwd": f"{OLD}/workspace-a"})
    said = json.dumps({"text": f"I looked into {OLD}/workspace-a"})
    target = tmp_path / "to"
    unpack(
        target,
        (member("./openclaw.json", mode=0o600), json.dumps(settings).encode()),
        (member("./agents/a/sessions/one.jsonl"), f"{head}\n{said}\n".encode()),
        (member("./workspace-a/notes.json"), f'"{OLD}/x"'.encode()),
        (member("./plain.txt"), OLD.encode()),
    )
    written = json.loads((target / "openclaw.json").read_text())
    assert written["agents"]["list"][0]["workspace"] == f"{NEW}/workspace-a"
    assert written["other"] == settings["other"], "another path that begins alike is another"
    assert (target / "openclaw.json").stat().st_mode & 0o777 == 0o600
    lines = (target / "agents/a/sessions/one.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["cwd"] == f"{NEW}/workspace-a" and lines[1] == said
    assert (target / "workspace-a/notes.json").read_text() == f'"{OLD}/x"', "an agent's files are its own"
    assert (target / "plain.txt").read_text() == OLD


@pytest.mark.parametrize("text", [b"garbled" * 100, b"\0" * 100], ids=["garbled", "nothing"])
def test_what_is_no_archive(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "to").mkdir()
    try:
        found = _move.unpack(io.BytesIO(text), tmp_path / "to", (OLD, NEW))
        assert found.files == 0
    except HostError as error:
        assert error.kind == "move"
    assert list((tmp_path / "to").iterdir()) == []


def test_it_ends_before_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_move, "RESERVE", 1 << 62)
    with pytest.raises(HostError, match="too little room"):
        unpack(tmp_path / "to", (member("./file"), b"x"))


# --- between two users -----------------------------------------------------------------------------


@pytest.fixture(name="homes")
def _homes(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Account, Account]]:
    """Two accounts whose homes are closed to each other; the manager of neither runs."""
    if os.geteuid() != 0:
        pytest.skip("only root can act for other users")
    place = Path(tempfile.mkdtemp(prefix="mission-control-move-"))
    place.chmod(0o755)
    accounts = []
    for name in ("games", "nobody"):
        account = dataclasses.replace(find_account(name), home=str(place / name))
        Path(account.home).mkdir(mode=0o700)
        os.chown(account.home, account.uid, account.gid)
        accounts.append(account)
    found = {account.name: account for account in accounts}
    monkeypatch.setattr(placement_record, "STATE_DIRECTORY", place / "state")
    for module in ("_host.privileges", "_gateway.move", "_gateway.holder"):
        base = "ansible_collections.openclaw.mission_control.plugins.module_utils"
        monkeypatch.setattr(
            f"{base}.{module}.find_account", lambda name=None: found.get(name) or find_account(name)
        )
    yield accounts[0], accounts[1]
    shutil.rmtree(place)


def layout(account: Account) -> Layout:
    home = Path(account.home)
    return Layout(Request(account, home / "openclaw-gateway", home / ".openclaw", "2026.4.2", "24.19.0"))


@pytest.fixture(name="moving")
def _moving(homes: tuple[Account, Account]) -> _move.Move:
    """A gateway of the one, with what it may have."""
    old, new = homes
    home = Path(old.home)
    texts = {
        ".openclaw/openclaw.json": json.dumps(
            {"agents": {"list": [{"workspace": f"{home}/.openclaw/workspace"}]}}
        ),
        ".openclaw/devices/paired.json": '{"d": {"role": "operator"}}',
        ".openclaw/workspace/today.md": "as agreed",
        "openclaw-gateway/gateway.env": f"LD_PRELOAD=/tmp/evil.so\nOPENCLAW_GATEWAY_TOKEN='{TOKEN}'\n",
        "openclaw-gateway/applied.json": "{}",
        ".config/systemd/user/openclaw-gateway.service": "[Service]\n",
    }
    for name, text in texts.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    wants = home / ".config/systemd/user/default.target.wants"
    wants.mkdir()
    (wants / "openclaw-gateway.service").symlink_to("../openclaw-gateway.service")
    (home / ".openclaw/shadow").symlink_to("/etc/shadow")
    os.mkfifo(home / ".openclaw/pipe")
    for path in home.rglob("*"):
        os.chown(path, old.uid, old.gid, follow_symlinks=False)
    return _move.Move(old, new, layout(old), layout(new), timeout=60)


def test_the_new_user_gets_it_all_and_owns_it(moving: _move.Move) -> None:
    told = _move.carry(moving)
    home = Path(moving.account.home)
    written = json.loads((home / ".openclaw/openclaw.json").read_text())
    assert written["agents"]["list"][0]["workspace"] == f"{home}/.openclaw/workspace"
    assert (home / ".openclaw/devices/paired.json").exists()
    assert (home / ".openclaw/workspace/today.md").read_text() == "as agreed"
    assert {path.lstat().st_uid for path in home.rglob("*")} == {moving.account.uid}
    token = (home / "openclaw-gateway/gateway.env").read_text()
    assert TOKEN in token and "LD_PRELOAD" not in token, "of the old user's file only the token counts"
    assert not os.path.lexists(home / ".openclaw/shadow") and not (home / ".openclaw/pipe").exists()
    assert "shadow" in told[1] and "pipe" in told[1]
    assert placement_record.read_record() == placement_record.Record("nobody", leaving="games")
    assert not os.path.lexists(
        Path(moving.former.home) / ".config/systemd/user/default.target.wants/openclaw-gateway.service"
    ), "the next boot does not start the old one"


def test_a_token_that_is_a_command_is_not_taken_over(moving: _move.Move) -> None:
    with acting_as(moving.former):
        moving.source.environment.write_text(f"OPENCLAW_GATEWAY_TOKEN='{TOKEN}';touch${{IFS}}/tmp/x;'\n")
    _move.carry(moving)
    assert not moving.target.environment.exists(), "a deployment makes another one"


def test_the_old_data_is_put_aside_and_the_rest_removed(moving: _move.Move) -> None:
    _move.carry(moving)
    told = _move.finish("nobody", "games", moving.source)
    home = Path(moving.former.home)
    assert sorted(path.name for path in home.iterdir()) == [".config", ".openclaw.moved-to-nobody"]
    assert (home / ".openclaw.moved-to-nobody/workspace/today.md").read_text() == "as agreed"
    assert any(".openclaw.moved-to-nobody" in line for line in told)
    assert not (home / ".config/systemd/user/openclaw-gateway.service").exists()
    assert placement_record.read_record() == placement_record.Record("nobody")
    assert _move.finish("nobody", "games", moving.source) == [], "a second time there is nothing"


@pytest.mark.parametrize("step", ["transfer", "_hand_over", "unpack"])
def test_interrupted_anywhere_the_next_run_completes(
    moving: _move.Move, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def interrupted(*_arguments: object) -> None:
        raise HostError("interrupted", kind="test")

    with monkeypatch.context() as patch, pytest.raises(HostError, match="interrupted"):
        patch.setattr(_move, step, interrupted)
        _move.carry(moving)
    assert placement_record.read_record() == placement_record.Record("games", entering="nobody")
    assert (Path(moving.former.home) / ".openclaw/workspace/today.md").read_text() == "as agreed"
    _move.check(moving)
    _move.carry(moving)
    assert (Path(moving.account.home) / ".openclaw/workspace/today.md").read_text() == "as agreed"


def test_what_the_new_user_has_already_is_not_overwritten(moving: _move.Move) -> None:
    state = Path(moving.account.home) / ".openclaw"
    state.mkdir()
    (state / "openclaw.json").write_text("{}")
    state.chmod(0o755)
    with pytest.raises(HostError, match="who has one already") as refused:
        _move.check(moving)
    assert "mission_control_gateway_user" in refused.value.remedy


def test_a_path_that_is_the_same_for_both_is_refused(moving: _move.Move) -> None:
    same = dataclasses.replace(moving, target=moving.source)
    with pytest.raises(HostError, match="the same path for both"):
        _move.check(same)


def test_a_link_in_place_of_the_data_leads_no_farther_than_its_user_may_go(moving: _move.Move) -> None:
    state = Path(moving.former.home) / ".openclaw"
    shutil.rmtree(state)
    secret = Path(moving.former.home).parent / "secret"
    secret.mkdir(mode=0o700)
    (secret / "key").write_text("root's")
    state.symlink_to(secret)
    with pytest.raises(HostError) as refused:
        _move.carry(moving)
    assert "root's" not in str(refused.value.result())
    assert not list(Path(moving.account.home).rglob("key"))
    assert placement_record.read_record() == placement_record.Record("games", entering="nobody")

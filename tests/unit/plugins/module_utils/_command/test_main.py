"""The command line of `mission-control`: what it calls, with which environment, and how it ends."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import components
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.components import SERVICES
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import common, main
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.systemd import UserManager
from ansible_collections.openclaw.mission_control.plugins.module_utils._services.control import Services
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import standalone
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS

SECRET = "s3cret%Pass"


class ExecutedError(BaseException):
    """Stands for a process that has become another program."""


@pytest.fixture(autouse=True)
def the_user_may_be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    # These tests act for whoever runs them; test_hostile.py has another account.
    monkeypatch.setattr(common, "NEVER", frozenset())


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def execute(file: str, argv: list[str], environment: dict[str, str]) -> None:
        seen.update(argv=argv, environment=environment)
        raise ExecutedError

    monkeypatch.setattr(os, "execvpe", execute)
    monkeypatch.setattr(UserManager, "require", lambda self: None)
    monkeypatch.delenv("PGPASSWORD", raising=False)
    return seen


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    root = tmp_path / "app"
    backend = root / "releases" / "one" / "backend"
    backend.mkdir(parents=True)
    (root / "current").symlink_to("releases/one")
    environment = (
        f"DATABASE_URL=postgresql+psycopg://mc:s3cret%25Pass@db.example:5433/mc?sslmode=require\nX={SECRET}\n"
    )
    (backend / ".env").write_text(environment)
    path = tmp_path / "command.json"
    data = {
        "user": find_account().name,
        "gateway_user": "",
        "root": str(root),
        "services": ["gateway", "backend", "worker", "frontend"],
        "verify": {"checks": ["service"], "options": {"url": "http://127.0.0.1:1"}},
    }
    path.write_text(json.dumps(data))
    return str(path)


def run(configuration: str, *arguments: str) -> int:
    return main.main(list(arguments), configuration)


def test_a_caller_sees_his_own_services_root_all(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = common.Configuration("nobody", "/app", ("gateway", "backend"), gateway_user="games")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert common.wanted(settings, [], everything=True) == ["gateway", "backend"]
    for caller, seen in (("nobody", ["backend"]), ("games", ["gateway"]), ("daemon", ["gateway", "backend"])):
        uid = find_account(caller).uid
        monkeypatch.setattr(os, "geteuid", lambda uid=uid: uid)
        assert common.wanted(settings, ["all"], everything=True) == seen
        assert common.wanted(settings, ["gateway"], everything=True) == ["gateway"]


def test_services_are_those_of_the_modules() -> None:
    assert components.SERVICES == SERVICES


def test_logs_become_journalctl(called: dict[str, Any], configuration: str) -> None:
    with pytest.raises(ExecutedError):
        run(configuration, "logs", "-f", "-n", "7", "--since", "1h ago", "-g", "x y", "backend")
    argv = called["argv"]
    assert argv[0] == "journalctl"
    for word in ("--follow", "--lines=7", "--since=1h ago", "--grep=x y", "--output=short-iso"):
        assert word in argv
    assert "_SYSTEMD_USER_UNIT=mission-control-backend.service" in argv
    assert "SYSLOG_IDENTIFIER=mission-control-backend" in argv
    assert f"_UID={os.getuid()}" in argv
    assert not any("worker" in word for word in argv)


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [(["logs"], "--lines=100"), (["logs", "-f"], "--lines=10"), (["logs", "-n", "all"], "--lines=all")],
)
def test_how_many_lines(called: dict[str, Any], configuration: str, arguments: list[str], lines: str) -> None:
    with pytest.raises(ExecutedError):
        run(configuration, *arguments)
    assert lines in called["argv"]
    assert all(
        f"SYSLOG_IDENTIFIER=mission-control-{name}" in called["argv"]
        for name in ("backend", "worker", "frontend")
    )
    assert "SYSLOG_IDENTIFIER=openclaw-gateway" in called["argv"]


def test_status_becomes_systemctl(called: dict[str, Any], configuration: str) -> None:
    with pytest.raises(ExecutedError):
        run(configuration, "status", "worker", "backend")
    assert called["argv"][:2] == ["systemctl", "--user"]
    assert called["argv"][-2:] == ["mission-control-backend.service", "mission-control-worker.service"]
    assert called["environment"]["XDG_RUNTIME_DIR"] == f"/run/user/{os.getuid()}"


def test_db_hands_the_password_over_unseen(called: dict[str, Any], configuration: str) -> None:
    with pytest.raises(ExecutedError):
        run(configuration, "db", "-c", "SELECT 1", "--csv")
    assert called["argv"] == ["psql", "-c", "SELECT 1", "--csv"]
    environment = called["environment"]
    assert environment["PGPASSWORD"] == SECRET
    assert (environment["PGHOST"], environment["PGPORT"], environment["PGUSER"]) == (
        "db.example",
        "5433",
        "mc",
    )
    assert (environment["PGDATABASE"], environment["PGSSLMODE"]) == ("mc", "require")
    assert environment["PGOPTIONS"] == "-c default_transaction_read_only=on"


def test_db_writes_only_when_asked(called: dict[str, Any], configuration: str) -> None:
    with pytest.raises(ExecutedError):
        run(configuration, "db", "--write")
    assert called["argv"] == ["psql"]
    assert "PGOPTIONS" not in called["environment"]


@pytest.mark.parametrize("url", ["mysql://x", "", "postgresql://a:b@h:port/x"])
def test_db_without_a_usable_address(
    configuration: str, url: str, capsys: pytest.CaptureFixture[str], called: dict[str, Any]
) -> None:
    root = Path(json.loads(Path(configuration).read_text())["root"])
    (root / "current/backend/.env").write_text(f"DATABASE_URL={url}\n" if url else "")
    assert run(configuration, "db") == 2
    message = capsys.readouterr().err
    assert message.startswith("mission-control: ") and "DATABASE_URL" in message
    assert "Traceback" not in message and called == {}


def test_a_program_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, configuration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*arguments: Any) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(os, "execvpe", missing)
    assert run(configuration, "db") == 2
    assert "apt-get install postgresql-client" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["logs", "nonsense"], "There is no service 'nonsense'"),
        (["status", "nonsense"], "There is no service 'nonsense'"),
        (["restart", "nonsense"], "There is no service 'nonsense'"),
        (["verify", "nonsense"], "There is no check 'nonsense'"),
    ],
)
def test_what_does_not_exist(
    configuration: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(configuration, *arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["logs", "-n", "x"],
        ["verify", "--format", "x"],
        ["restart", "--timeout", "0"],
        ["status", "--x"],
    ],
)
def test_usage_errors(configuration: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(configuration, *arguments)
    assert ended.value.code == 2
    assert "usage: mission-control" in capsys.readouterr().err


def test_help_of_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        [],
        ["status"],
        ["restart"],
        ["start"],
        ["stop"],
        ["logs"],
        ["verify"],
        ["releases"],
        ["db"],
    ):
        with pytest.raises(SystemExit) as ended:
            main.main([*arguments, "--help"])
        assert ended.value.code == 0
        assert "usage: mission-control" in capsys.readouterr().out


def test_a_host_without_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path / "nothing.json"), "status") == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"user": "x"}'])
def test_a_damaged_configuration(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "command.json"
    path.write_text(text)
    assert run(str(path), "status") == 2
    assert "is damaged" in capsys.readouterr().err


def test_a_service_of_another_host(configuration: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(Path(configuration).read_text()) | {"services": ["frontend"]}
    Path(configuration).write_text(json.dumps(data))
    assert run(configuration, "restart", "backend") == 2
    assert "does not run on this host" in capsys.readouterr().err


def test_all_leaves_the_gateway_alone_where_something_is_done() -> None:
    settings = common.Configuration("u", "/r", ("gateway", "backend", "worker"))
    assert common.wanted(settings, [], everything=False) == ["backend", "worker"]
    assert common.wanted(settings, ["all"], everything=True) == ["gateway", "backend", "worker"]
    assert common.wanted(settings, ["worker", "gateway"], everything=False) == ["gateway", "worker"]


def test_releases(configuration: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(json.loads(Path(configuration).read_text())["root"])
    # The order is that in which they were made, whatever was written into their directories since.
    for number, (name, told) in enumerate(
        {
            "five": {"created": "2026-01-05T03:04:05Z"},
            "four": {"outcome": {"state": "failed", "reason": "health"}, "created": "2026-01-04T03:04:05Z"},
            "three": {"outcome": {"state": "left"}, "created": "2026-01-03T03:04:05Z"},
            "one": {"outcome": {"state": "verified"}, "created": "2026-01-02T03:04:05Z"},
            "two": {},
        }.items()
    ):
        path = root / "releases" / name
        path.mkdir(exist_ok=True)
        (path / "release.json").write_text(json.dumps(told))
        os.utime(path, (number, number))
    (root / "releases" / ".three.partial").mkdir()
    assert run(configuration, "releases") == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [[cell.strip() for cell in line if cell.strip()][:2] for line in lines] == [
        ["five", "never served"],
        ["four", "failed: health"],
        ["three", "rolled back from"],
        ["one", "current, verified"],
        # It does not tell when it was made: what is known is when its directory was changed.
        ["two", "never served"],
    ]
    assert "2026-01-0" in lines[0][-1]
    assert run(configuration, "releases", "--json") == 0
    assert json.loads(capsys.readouterr().out)["current"] == "one"


def test_a_failing_service_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, configuration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: Services, names: Any) -> None:
        raise HostError("The manager is down.", kind="manager_down", remedy="systemctl start it")

    monkeypatch.setattr(Services, "states", fail)
    assert run(configuration, "restart") == 1
    assert capsys.readouterr().err == "mission-control: The manager is down. systemctl start it\n"


def test_an_interrupt_leaves_no_traceback(monkeypatch: pytest.MonkeyPatch, configuration: str) -> None:
    def interrupt(self: Services, names: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Services, "states", interrupt)
    assert run(configuration, "stop") == 130


# -- the checks without Ansible -------------------------------------------------------------------


def verdicts(*states: str) -> dict[str, Any]:
    return {"verdicts": [{"state": state} for state in states]}


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (["pass", "skip", "flaky"], 0),
        (["pass", "warn"], 0),
        (["pass", "fail"], 1),
        (["error", "pass"], 2),
        (["error", "fail"], 1),
        ([], 2),
    ],
)
def test_exit_status_of_verify(states: list[str], status: int) -> None:
    assert standalone.exit_status(verdicts(*states)) == status


def test_every_check_can_be_loaded() -> None:
    assert all(callable(standalone.check(name)) for name in CHECKS)


def test_unhealthy_service_and_unreachable_api(
    configuration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(configuration, "verify", "health", "--format", "json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["state"] == "fail"
    assert [verdict["name"] for verdict in report["views"][0]["verdicts"]] == ["health"]


def test_report_into_a_file(configuration: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.prom"
    run(configuration, "verify", "health", "--format", "prometheus", "--output", str(path))
    assert capsys.readouterr().out == ""
    assert "mission_control" in path.read_text()
    assert run(configuration, "verify", "health", "--output", str(tmp_path / "no" / "x")) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"checks": ["nothing"]}, "no check 'nothing'"),
        ({"checks": ["health"], "options": {"nothing": 1}}, "no option 'nothing'"),
        (
            {"checks": ["health"], "check_options": {"health": {"nothing": 1}}},
            "check health has no option 'nothing'",
        ),
    ],
)
def test_a_configuration_that_asks_for_nothing_known(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(standalone.BadConfigurationError, match=message):
        standalone.run(settings)


def test_which_checks_run() -> None:
    assert standalone.chosen({}) == list(CHECKS)
    assert standalone.chosen({"checks": ["health", "log"], "skip": ["log"]}) == ["health"]
    assert standalone.chosen({"checks": ["health"], "skip": ["log"]}, ["log"]) == ["log"], (
        "what is named is run"
    )


def test_defaults_of_dictionaries_in_lists() -> None:
    option = CHECKS["host"]["ports"]
    assert standalone._filled(option, [{"port": 1}]) == [{"port": 1, "bind": "", "unit": "", "users": []}]
    assert standalone._filled({"elements": "str"}, ["x"]) == ["x"]

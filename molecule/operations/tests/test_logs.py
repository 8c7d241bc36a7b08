"""logs.yml: merged by time over the hosts, with levels recognised from the text."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from operations_support import HOSTS, USER, Play, on_host, ssh_command

testinfra_hosts = ["operations-one"]
LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})  (\S+) +(\S+) +([A-Z]+) +(.*)$", re.MULTILINE)


def write(host: str, *lines: str, service: str = "backend") -> None:
    """Put lines into the journal as the service would: of the same user, with the same identifier."""
    command = f"runuser -u {USER} -- systemd-cat -t mission-control-{service}; journalctl --sync"
    text = "".join(f"{line}\n" for line in lines)
    subprocess.run([*ssh_command(host), command], input=text, text=True, check=True)


@pytest.fixture(scope="module")
def marker() -> Iterator[str]:
    """Lines of both formats and every level on all hosts, in turns."""
    mark = f"marker-{uuid.uuid4().hex[:8]}"
    for number, level in enumerate(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")):
        for host in HOSTS:
            write(host, f"2026-01-02 03:04:05,678 {level} app.test {mark} text {number}")
    write(
        "operations-two",
        json.dumps(
            {
                "timestamp": "x",
                "level": "ERROR",
                "logger": "app.test",
                "message": f"{mark} json",
                "request_id": "r7",
            }
        ),
    )
    write(
        "operations-three",
        f"ERROR:    {mark} failed",
        "Traceback (most recent call last):",
        '  File "/app.py", line 1, in f',
        "ValueError: told",
        service="worker",
    )
    yield mark


def lines_of(output: str) -> list[tuple[str, str, str, str, str]]:
    return LINE.findall(output)


def test_merged_by_time_over_all_hosts(play: Play, marker: str) -> None:
    done = play("logs.yml", "-e", f"pattern={marker} since=1h")
    assert done.returncode == 0, done.output
    found = lines_of(done.output)
    assert len(found) == 17
    assert [line[0] for line in found] == sorted(line[0] for line in found)
    texts = [line[4] for line in found if " text " in line[4]]
    assert [text.rsplit(" ", 1)[1] for text in texts] == [
        str(number) for number in range(5) for _host in HOSTS
    ]
    assert {line[1] for line in found} == set(HOSTS)


def test_levels_of_text_and_json(play: Play, marker: str) -> None:
    done = play("logs.yml", "-e", f"pattern={marker} since=1h level=error")
    levels = [(line[3], line[4]) for line in lines_of(done.output)]
    assert [level for level, _text in levels].count("ERROR") == 5
    assert [level for level, _text in levels].count("CRITICAL") == 3
    assert any(text == f"app.test: {marker} json request_id=r7" for _level, text in levels)
    assert "    Traceback (most recent call last):\n      File" in done.output, "a traceback stays together"


def test_service_and_number_of_lines(play: Play, marker: str) -> None:
    done = play("logs.yml", "-e", f"service=worker pattern={marker} since=1h")
    assert [line[2] for line in lines_of(done.output)] == ["worker"]
    done = play("logs.yml", "-e", f"pattern={marker} since=1h lines=2")
    assert len(lines_of(done.output)) == 2


def test_times(play: Play, marker: str) -> None:
    nothing = play("logs.yml", "-e", f"pattern={marker} before=2026-01-01")
    assert nothing.returncode == 0 and "No record fits." in nothing.output
    assert lines_of(play("logs.yml", "-e", f"pattern={marker} since=yesterday before=now").output)


def test_json_lines_into_a_private_file(play: Play, marker: str, tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    done = play("logs.yml", "-e", f"pattern={marker} since=1h format=json output={path}")
    assert done.returncode == 0, done.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(records) == 17
    assert {record["host"] for record in records} == set(HOSTS)
    assert {record["level"] for record in records} == {"debug", "info", "warning", "error", "critical"}
    assert next(record for record in records if record["source"] == "json")["fields"] == {"request_id": "r7"}
    assert [record["epoch"] for record in records] == sorted(record["epoch"] for record in records)
    assert marker not in done.output, "what goes into a private file is not shown"


def test_the_services_own_lines_are_recognised(play: Play) -> None:
    on_host("operations-one", "curl -s http://127.0.0.1:8000/healthz >/dev/null; journalctl --sync")
    done = play("logs.yml", "--limit", "operations-one", "-e", "service=backend lines=400 format=json")
    records = [json.loads(line) for line in done.output.splitlines() if line.startswith('{"host"')]
    assert {record["source"] for record in records} >= {"text", "uvicorn", "systemd"}
    assert any(
        record["fields"].get("path") == "/healthz" for record in records if record["source"] == "uvicorn"
    )


def test_no_secret_is_shown(play: Play, secrets: dict[str, str], marker: str) -> None:
    mark = uuid.uuid4().hex
    write("operations-one", f"INFO:     {mark} {secrets['token']} {secrets['password']}")
    done = play("logs.yml", "-e", f"pattern={mark}", verbose=True)
    assert mark in done.output
    assert all(value not in done.output for value in secrets.values())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("since=soon", 'since: "soon" is not a valid time. Use 10m'),
        ("before=25:99", 'before: "25:99" is not a valid time. Use 10m'),
        ("lines=0", 'lines: "0" is not a number from 1 to 100000.'),
        ("lines=many", 'lines: "many" is not a number from 1 to 100000.'),
        ("level=loud", 'level: "loud" is not a valid level. Use one of trace, debug'),
        ("pattern='('", 'pattern: "(" is not a valid regular expression.'),
        ("format=xml", 'format: "xml" is not a valid choice. Use list or json.'),
    ],
)
def test_bad_input(play: Play, setting: str, message: str) -> None:
    done = play("logs.yml", "-e", setting)
    assert done.returncode != 0
    assert done.message.startswith(message), done.message
    assert done.output.count("FAILED!") == 1

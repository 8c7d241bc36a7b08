"""No artefact of a full run holds a token, a password or a private key."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from forms import forms, patterns, search

CHECKOUT = Path(__file__).resolve().parents[3]
INVENTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"
HOST = "leaks"
HOME = "/home/mission-control"
ROOT = f"{HOME}/mission-control"
ENVIRONMENT = rf"{ROOT}/releases/[^/]+/backend/\.env"
# Where secrets belong: readable by their owner alone, and by nobody else. The proxy's password, which only
# downloads need, belongs nowhere.
PLACES = {
    "token": ENVIRONMENT,
    "database password": rf"{ENVIRONMENT}|/var/lib/mission-control/database-password",
    "Redis password": rf"{ENVIRONMENT}|/var/lib/mission-control/redis-password|/etc/redis/.*",
    "gateway token": r"/home/openclaw/openclaw-gateway/gateway\.env",
    "device key": rf"{ROOT}/shared/identity/device\.json",
    "backup password": "/var/lib/mission-control/backup/password",
    "backup key": "/var/lib/mission-control/backup/credentials.json",
    "backup login": "/var/lib/mission-control/backup/ssh_key",
}
# Settings of the services that are secret because of their names, their values, or by the operator's word.
NAMED = (
    *(
        "ENCRYPTION_KEY",
        "KEY_PASSPHRASE",
        "AUTH_COOKIE",
        "GITHUBTOKEN",
        "DBPASSWORD",
        "PRIVATE_KEY",
        "SENTRY_DSN",
    ),
    *("DB_PASS", "APIKEY", "SESSION_KEY", "JWT", "GITHUB_PAT", "TENANT_PIN"),
)
PLACES |= dict.fromkeys((*NAMED, "GREETING", "UPSTREAM"), ENVIRONMENT)

# Looks at processes while they are young and may become other programs, and at all twice a second.
SAMPLER = """
import json, os, sys, threading, time
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
print("sampling", flush=True)
seen, rounds, since = set(), 0, {}
while not ended.wait(0.01):
    rounds += 1
    now, names = time.monotonic(), [name for name in os.listdir("/proc") if name.isdigit()]
    if rounds % 50 == 0:
        since = {name: since[name] for name in names if name in since}
    for name in names:
        if now - since.setdefault(name, now) < 2 or rounds % 50 == 0:
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    seen.add(file.read().decode("utf-8", "replace"))
            except OSError:
                pass
print(json.dumps({"rounds": rounds, "seen": sorted(seen)}))
"""

# Status of backend and frontend by the loopback addresses of both protocols, and what systemd listens on.
ADDRESSES = """
import json, subprocess, urllib.request
found = {}
for place in ("127.0.0.1:8000", "[::1]:8000", "127.0.0.1:3000", "[::1]:3000"):
    path = "/healthz" if place.endswith(":8000") else "/"
    found[place] = urllib.request.urlopen(f"http://{place}{path}", timeout=20).status
argv = ["systemctl", "--user", "--machine=mission-control@.host", "show", "--property=Listen"]
units = ["--value", "mission-control-backend.socket", "mission-control-frontend.socket"]
done = subprocess.run([*argv, *units], capture_output=True, text=True, check=True)
found["units"] = done.stdout.split("\\n")
print(json.dumps(found))
"""

# Reads every file that is neither of the system itself nor of the database's own storage.
FILES = """
import json, os, re, stat, sys
tops = ["/dev/shm", "/etc", "/home", "/root", "/run", "/srv", "/tmp", "/usr/local", "/var"]
left_out = re.compile("/var/lib/(postgresql|redis|apt)/|/var/cache/|.*/node_modules/")
patterns = json.loads(INPUT)
found, files = [], 0
for top in tops:
    for directory, names, members in os.walk(top):
        names[:] = [name for name in names if not left_out.match(os.path.join(directory, name, ""))]
        for member in members:
            path = os.path.join(directory, member)
            try:
                state = os.lstat(path)
                if not stat.S_ISREG(state.st_mode):
                    continue
                with open(path, "rb") as file:
                    data = file.read()
            except OSError:
                continue
            files += 1
            for name, form, pattern in patterns:
                if pattern.encode() in data:
                    found.append([path, name, form, stat.S_IMODE(state.st_mode)])
print(json.dumps({"files": files, "found": found}))
"""


def on_host(command: str) -> list[str]:
    """The command that runs a command on the host."""
    return [sys.executable, str(CHECKOUT / "molecule/shared/sandbox.py"), "ssh", HOST, "--", command]


def sandbox(command: str, program: str = "") -> str:
    """The output of a command on the host, with a program on its standard input."""
    # A journal holds other bytes than text, too.
    done = subprocess.run(on_host(command), input=program.encode(), capture_output=True, check=True)
    return done.stdout.decode("utf-8", "backslashreplace")


@dataclass
class Sampler:
    """All command lines on the host and on the controller while something runs."""

    seen: set[str] = field(default_factory=set)
    rounds: int = 0

    def __enter__(self) -> Sampler:
        sandbox("cat >/run/sampler.py", SAMPLER)
        self._processes = [
            subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for argv in (on_host("python3 /run/sampler.py"), [sys.executable, "-c", SAMPLER])
        ]
        for process in self._processes:
            assert process.stdout
            assert process.stdout.readline() == "sampling\n"
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            output, _nothing = process.communicate()
            document = json.loads(output)
            self.seen.update(document["seen"])
            self.rounds += document["rounds"]


@dataclass
class Run:
    """What the runs left behind."""

    # Not shown when a test fails.
    secrets: dict[str, str] = field(repr=False)
    outputs: dict[str, str] = field(repr=False)
    codes: dict[str, int]
    commands: Sampler = field(repr=False)
    directory: Path
    answers: dict[str, Any]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Deploy with new secrets, predict, verify, and verify what is broken."""
    private = tmp_path_factory.mktemp("private")
    directory = tmp_path_factory.mktemp("run")
    (directory / "tmp").mkdir()
    known = {
        # The characters that other forms than the raw one change.
        "token": f"Tk+/{secrets.token_urlsafe(48)}=&%~",
        "database password": f"Db.{secrets.token_hex(20)}",
        "Redis password": f"Rd.{secrets.token_hex(20)}",
        "gateway token": f"Gw-{secrets.token_hex(20)}",
        "wrong token": f"Wr-{secrets.token_hex(30)}",
        "proxy password": f"Px.{secrets.token_hex(20)}",
        "backup password": f"Bp+/{secrets.token_hex(20)}=&",
        "backup key": f"Bk.{secrets.token_hex(20)}",
        "backup login": f"Bl.{secrets.token_hex(20)}",
        "repository password": f"Rp.{secrets.token_hex(20)}",
    }
    known |= {name: f"{name[:2]}.{secrets.token_hex(20)}" for name in NAMED}
    known |= {"GREETING": f"ghp_{secrets.token_hex(18)}", "UPSTREAM": f"Up.{secrets.token_hex(20)}"}
    planted = {name: known[name] for name in (*NAMED, "GREETING")}
    planted["UPSTREAM"] = f"https://operator:{known['UPSTREAM']}@upstream.example/"
    harmless = {
        "KEYBOARD": "keyboard-is-shown",
        "TOKENIZER": "tokenizer-is-shown",
        "PUBLIC_KEY": "public-is-shown",
    }
    # Packages are fetched by HTTP: apt is told of this proxy, and needs it for nothing.
    proxy = {"ftp_proxy": f"http://operator:{known['proxy password']}@127.0.0.1:9"}
    listed = ["ansible-inventory", "-i", str(INVENTORY), "--host", HOST]
    variables = json.loads(subprocess.run(listed, capture_output=True, check=True, cwd=CHECKOUT).stdout)
    sandbox("apt-get -qy remove bash-completion")
    given = private / "secrets.json"
    given.touch(mode=0o600)
    given.write_text(
        json.dumps(
            {
                "mission_control_token": known["token"],
                "mission_control_database_password": known["database password"],
                "mission_control_additional_environment": planted | harmless,
                "mission_control_secret_settings": ["TENANT_PIN"],
                # No scenario has a deployment to spare for IPv6, and what is looked for here does not mind.
                "mission_control_backend_bind": "::",
                "mission_control_frontend_bind": "::",
                "redis_password": known["Redis password"],
                "mission_control_gateway_token": known["gateway token"],
                # The snapshot's own repository has another password.
                "mission_control_backup_repository": "/var/backups/leaks",
                "mission_control_backup_password": known["backup password"],
                "mission_control_backup_credentials": {"AWS_SECRET_ACCESS_KEY": known["backup key"]},
                "mission_control_backup_ssh_key": known["backup login"],
                "mission_control_download_environment": variables["mission_control_download_environment"]
                | proxy,
            }
        )
    )
    wrong = private / "wrong.json"
    wrong.touch(mode=0o600)
    wrong.write_text(json.dumps({"verify_token": known["wrong token"]}))
    environment = {
        **os.environ,
        "TMPDIR": str(directory / "tmp"),
        "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
        "ANSIBLE_LOG_PATH": str(directory / "ansible.log"),
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
    }
    outputs, codes = {}, {}

    def play(name: str, playbook: str, *arguments: str) -> None:
        argv = ["ansible-playbook", "-i", str(INVENTORY), "-e", f"@{given}", "-vvv", "--diff", *arguments]
        done = subprocess.run(
            [*argv, str(CHECKOUT / "playbooks" / playbook)],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=CHECKOUT,
        )
        outputs[name], codes[name] = done.stdout + done.stderr, done.returncode

    reports = json.dumps(
        {
            "verify_reports": ["json", "junit", "prometheus", "nagios", "tap", "markdown", "html"],
            "verify_report_directory": str(directory / "reports"),
        }
    )
    prediction = json.dumps({"mission_control_backend_environment": {"LOG_LEVEL": "DEBUG"}})
    repository = f"http://operator:{known['repository password']}@127.0.0.1:9/product.git"
    unreachable = private / "unreachable.json"
    unreachable.touch(mode=0o600)
    unreachable.write_text(
        json.dumps({"mission_control_source": repository, "mission_control_revision": "leaks"})
    )
    misplaced = private / "misplaced.json"
    misplaced.touch(mode=0o600)
    misplaced.write_text(json.dumps({"mission_control_backend_environment": planted}))
    with Sampler() as commands:
        play("deployment", "deploy.yml")
        play("prediction", "deploy.yml", "--check", "-e", prediction)
        play(
            "prediction with the secrets where they are refused",
            "deploy.yml",
            "--check",
            "-e",
            f"@{misplaced}",
        )
        # A machine where other scenarios run has time for all checks in the end.
        play("verification", "verify.yml", "-e", reports, "-e", "verify_deadline=180")
        play("deployment of an unreachable repository", "deploy.yml", "-e", f"@{unreachable}")
        play("backup", "backup.yml")
        play("export", "backup.yml", "-e", f"export={directory}/export")
        play("drill", "restore.yml", "-e", "drill=true")
        play("status", "status.yml")
        play("logs", "logs.yml")
        play("verification with a wrong token", "verify.yml", "-e", f"@{wrong}")
        sandbox("systemctl stop postgresql@17-main redis-server")
        play("verification of a broken host", "verify.yml", "-e", reports.replace('reports"}', 'broken"}'))
        sandbox("systemctl start postgresql@17-main redis-server")
    answers = json.loads(sandbox("python3 -", ADDRESSES))
    key = json.loads(sandbox(f"cat {ROOT}/shared/identity/device.json"))["privateKeyPem"].splitlines()[1]
    yield Run({**known, "device key": key}, outputs, codes, commands, directory, answers)


def test_runs_did_what_they_should(run: Run) -> None:
    ends = {name: "\n".join(run.outputs[name].splitlines()[-40:]) for name in run.outputs}
    assert run.codes["prediction"] == 0, ends["prediction"]
    assert run.codes["deployment"] == 0, ends["deployment"]
    assert run.codes["verification"] == 0, ends["verification"]
    for name in ("backup", "export", "drill"):
        assert run.codes[name] == 0, ends[name]
    unreachable = "deployment of an unreachable repository"
    assert run.codes[unreachable] == 2
    assert "Looking up leaks failed" in run.outputs[unreachable], ends[unreachable]
    assert "operator:********@127.0.0.1:9/product.git" in run.outputs[unreachable]
    assert run.codes["verification with a wrong token"] == 2
    assert run.codes["verification of a broken host"] == 2
    assert "task path" in run.outputs["deployment"], "the run was not as talkative as it should be"
    assert re.search(r"^\+.*BASE_URL", run.outputs["deployment"], re.MULTILINE), "no difference was shown"


def test_settings_are_shown_and_their_secrets_are_not(run: Run) -> None:
    for output in (run.outputs["deployment"], run.outputs["prediction"]):
        for name in (*NAMED, "GREETING"):
            assert re.search(rf"\b{name}=\*{{8}}", output), name
        assert "UPSTREAM=https://operator:********@upstream.example/" in output
        for shown in (
            "KEYBOARD=keyboard-is-shown",
            "TOKENIZER=tokenizer-is-shown",
            "PUBLIC_KEY=public-is-shown",
        ):
            assert shown in output
    refused = "prediction with the secrets where they are refused"
    assert run.codes[refused] == 2
    assert "ENCRYPTION_KEY" in run.outputs[refused]


def test_everywhere_is_everywhere_by_ipv6_and_by_ipv4(run: Run) -> None:
    units = [line for line in run.answers.pop("units") if line]
    assert units == ["[::]:8000 (Stream)", "[::]:3000 (Stream)"]
    assert set(run.answers.values()) == {200}
    assert "http://[::1]:8000" in run.outputs["deployment"]


def test_output(run: Run) -> None:
    assert search(run.secrets, ((name, text.encode()) for name, text in run.outputs.items())) == []


def test_reports_logs_and_temporary_files_of_the_controller(run: Run) -> None:
    files = [path for path in run.directory.rglob("*") if path.is_file()]
    endings = {path.suffix for path in (run.directory / "reports").iterdir()}
    assert endings >= {".json", ".xml", ".html", ".md"}
    assert (run.directory / "ansible.log").stat().st_size > 100_000
    contents = ((str(path.relative_to(run.directory)), path.read_bytes()) for path in files)
    assert search(run.secrets, contents) == []


def test_apt_was_told_of_the_proxy(run: Run) -> None:
    (task,) = (
        part for part in run.outputs["deployment"].split("TASK [") if "Write the proxy into it]" in part
    )
    assert "ok: [leaks]" in task
    assert any("apt-get" in line and "bash-completion" in line for line in run.commands.seen)


def test_command_lines(run: Run) -> None:
    assert run.commands.rounds > 1000
    assert any("AnsiballZ" in line or "python3" in line for line in run.commands.seen)
    assert any("alembic" in line or "uvicorn" in line or "serve.py" in line for line in run.commands.seen)
    lines = ((line.replace("\0", " "), line.encode()) for line in run.commands.seen)
    assert search(run.secrets, lines) == []


def test_journal(run: Run) -> None:
    journal = sandbox("journalctl --no-pager --output export")
    assert "SYSLOG_IDENTIFIER=mission-control-backend" in journal
    # Field by field, so that a finding names its line.
    entries = ((entry, entry.encode()) for entry in journal.split("\n\n"))
    assert search(run.secrets, entries) == []


def test_files_of_the_host(run: Run) -> None:
    wanted = repr(json.dumps(patterns(run.secrets)))
    document = json.loads(sandbox("python3 -", FILES.replace("INPUT", wanted)))
    assert document["files"] > 1000
    wrong, places = [], set()
    for path, name, form, mode in document["found"]:
        if re.fullmatch(PLACES.get(name, "-"), path):
            places.add(name)
            if mode & 0o007 or (mode & 0o070 and path.startswith(HOME)):
                wrong.append(f"{path}: {name} can be read by others, mode {mode:o}")
        else:
            wrong.append(f"{path}: {name}, {form}")
    assert wrong == []
    # What is searched for does exist, each in its place.
    assert places == set(PLACES)


def test_search_finds_every_form() -> None:
    secret = 'a+b/c=d&e"f%g~h!i?0123456789'
    for text in forms(secret):
        assert search({"it": secret}, [("here", f"before{text}behind".encode())])
    for before in range(6):
        for behind in range(6):
            text = base64.b64encode(b"x" * before + secret.encode() + b"y" * behind)
            assert search({"it": secret}, [("here", text)]), (before, behind)
    assert search({"it": secret}, [("here", secret[1:].encode())]) == []

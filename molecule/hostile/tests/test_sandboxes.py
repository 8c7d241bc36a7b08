"""What gets into a service tries to get out of its unit: vars/sandboxes.yml names what is possible where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hostile_support import USER, gateway_user, on_host

SCENARIO = Path(__file__).resolve().parents[1]
TABLE: list[dict[str, Any]] = yaml.safe_load((SCENARIO / "vars/sandboxes.yml").read_text())["sandboxes"]
ACTIONS = ("read", "list", "connect", "succeed")
UNITS = {
    "backend": "mission-control-backend",
    "worker": "mission-control-worker",
    "frontend": "mission-control-frontend",
    "gateway": "openclaw-gateway",
}
# What of a unit is not about what it may do.
NOT_SANDBOX = (
    "[Install]",
    *("After", "Environment", "Exec", "Notify", "PartOf", "Requires", "Restart", "StartLimit"),
    *("SyslogIdentifier", "Type", "UnsetEnvironment", "WantedBy", "Watchdog", "WorkingDirectory"),
)
PLACE = "/srv/sandboxes"
PROBE = (
    "Type=oneshot",
    f"ExecStart=/usr/bin/python3 {PLACE}/attempts.py",
    "StandardOutput=file:%h/probe.json",
    "TimeoutStartSec=120",
)


def user_of(name: str) -> str:
    return gateway_user() if name == "gateway" else USER


def as_whom(user: str, command: str, stdin: str = "") -> str:
    return on_host(command, stdin, user=user)


@pytest.fixture(scope="module")
def prepared() -> Iterator[None]:
    """The program, and what it tries to reach, for all users."""
    on_host(
        f"mkdir -p {PLACE}; cat > {PLACE}/attempts.py; chmod -R a+rX {PLACE}; echo > /tmp/of-everybodys",
        (SCENARIO / "files/attempts.py").read_text(),
    )
    on_host("cp /bin/bash /usr/local/bin/hostile-shell; chmod 4755 /usr/local/bin/hostile-shell")
    yield
    on_host(f"rm -rf {PLACE} /usr/local/bin/hostile-shell /tmp/of-everybodys")


def could(user: str, directives: list[str]) -> list[bool]:
    """What a unit of the user's with these directives could do."""
    runtime = f"/run/user/{on_host(f'id -u {user}')}"
    things = [
        {action: thing[action].replace("RUNTIME", runtime)}
        for thing in TABLE
        for action in ACTIONS
        if action in thing
    ]
    on_host(f"cat > {PLACE}/asked.json; chmod a+r {PLACE}/asked.json", json.dumps({"things": things}))
    units = "~/.config/systemd/user"
    escape = "[Service]\nType=oneshot\nExecStart=/bin/true\n"
    as_whom(user, f"cat > {units}/escape.service; rm -f ~/probe.json", escape)
    probe = "\n".join(["[Service]", *PROBE, f"StandardInput=file:{PLACE}/asked.json", *directives, ""])
    as_whom(user, f"cat > {units}/probe.service", probe)
    try:
        as_whom(user, "systemctl --user daemon-reload; systemctl --user start probe.service")
        found: list[bool] = json.loads(as_whom(user, "cat ~/probe.json"))
    finally:
        left = (
            f"{units}/escape.service {units}/probe.service {units}/of-the-unit.service ~/probe.json ~/given"
        )
        as_whom(user, f"rm -f {left} ~/.ssh/of-the-unit")
        # It is refused while the manager still reads the units for whoever asked before.
        as_whom(user, "systemctl --user daemon-reload || { sleep 1; systemctl --user daemon-reload; }")
    return found


def directives_of(name: str) -> list[str]:
    """What the unit says of what its processes may do."""
    told = as_whom(user_of(name), f"cat ~/.config/systemd/user/{UNITS[name]}.service").splitlines()
    service = told[told.index("[Service]") + 1 :]
    return [line for line in service if "=" in line and not line.startswith(("#", *NOT_SANDBOX))]


@pytest.mark.parametrize("name", [*UNITS, "free"])
def test_what_is_in_a_unit_can_do_what_it_may_and_no_more(prepared: None, name: str) -> None:
    directives = [] if name == "free" else directives_of(name)
    found = could(user_of(name), directives)
    wrong = [
        f"{thing['name']}: {'possible' if possible else 'impossible'}"
        for thing, possible in zip(TABLE, found, strict=True)
        if possible != (name in thing["may"])
    ]
    assert not wrong, (directives, wrong)


@pytest.mark.parametrize("name", UNITS)
def test_it_is_in_force_in_what_runs(name: str) -> None:
    """As the process itself sees it: what the kernel says of it, and what it finds in place of the bus."""
    user = user_of(name)
    pid = on_host(f"systemctl --user -M {user}@ show -P MainPID {UNITS[name]}")
    runtime = f"/run/user/{on_host(f'id -u {user}')}"
    text = on_host(f"cat /proc/{pid}/status")
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert (status["NoNewPrivs"], int(status["CapEff"], 16), status["Seccomp"]) == ("1", 0, "2")
    for path in ("bus", "systemd/private"):
        assert on_host(f"stat -c %a /proc/{pid}/root{runtime}/{path}") == "0"
        assert on_host(f"stat -c %a {runtime}/{path}") != "0"
    assert on_host(f"readlink /proc/{pid}/ns/user") != on_host("readlink /proc/1/ns/user")

"""Whatever stands in the place of what the user owns: root's is not touched, and what is wrong is told."""

from __future__ import annotations

import json
import random
import re
import secrets
from collections.abc import Sequence

import pytest
from hostile_support import (
    DEADLINE,
    FULL,
    HOME,
    MEMORY,
    ROOT,
    SEED,
    TO_PASS,
    USER,
    WAYS,
    Place,
    Replacer,
    apart,
    deployed,
    faults_of,
    on_host,
    play,
    recover,
    representatives,
)

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("verify",),
    ("status",),
    ("status", "worker"),
    ("logs", "-n", "20"),
    ("logs", "-n", "20", "-o", "json"),
    ("releases",),
    ("releases", "--json"),
    ("db", "-Atc", "select 1"),
)
# One after the other, and not in every round.
ACTING: tuple[tuple[str, ...], ...] = (
    ("stop", "worker", "--timeout", "20"),
    ("start", "worker", "--timeout", "20"),
    ("restart", "worker", "--timeout", "20"),
)
PLAYBOOKS: tuple[tuple[str, ...], ...] = (
    ("status.yml",),
    ("logs.yml",),
    ("logs.yml", "-e", "format=json"),
    ("releases.yml",),
    ("history.yml",),
    ("query.yml", "-e", "sql='select 1'"),
    ("verify.yml",),
    ("restart.yml", "-e", "service=worker"),
    ("maintenance.yml", "-e", "state=on", "-e", "reason=hostile"),
    ("maintenance.yml", "-e", "state=off"),
    ("stop.yml", "-e", "service=worker"),
    ("start.yml", "-e", "service=worker"),
    ("rollback.yml", "--check"),
    ("uninstall.yml", "--check"),
    ("deploy.yml", "--check"),
    ("deploy.yml",),
)
# What is replaced alone, so that nothing else hides what comes of it; the rest is replaced by the dozen.
IMPORTANT = (
    ".config",
    ".config/systemd",
    ".config/systemd/user",
    ".psqlrc",
    "mission-control",
    "mission-control/current",
    "mission-control/releases",
    "mission-control/shared",
)
IMPORTANT_BELOW = re.compile(
    r"\.config/systemd/user/mission-control-worker|mission-control/shared/[^/]+(/[^/*]+)?$"
    r"|mission-control/releases/[^/]+(/release\.json|/backend|/backend/\.env|/frontend)?$"
)
DOZEN = 12
Replacements = list[tuple[Place, str]]
# Which part of the rounds of host commands `make test` has, and how many of the commands in each of them; how
# many playbooks; and with how many of them make test-full tries an important place, beside deploy.yml.
PART = 6
COMMANDS_A_ROUND = 3
PLAYBOOKS_TRIED = 3
PLAYBOOKS_A_PLACE = 4


# Of an adoption that root does not know of.
RECORD = {
    "phase": "done",
    "at": "2026-01-01T00:00:00Z",
    "kept": f"{ROOT}/before-2026-01-01",
    "found": {"tree": ROOT, "kind": "guide", "units": [], "processes": []},
}


def important(place: Place) -> bool:
    return place.sort in IMPORTANT or bool(IMPORTANT_BELOW.match(place.sort))


@pytest.fixture(scope="module")
def chance() -> random.Random:
    print(f"\nHOSTILE_SEED={SEED}")
    return random.Random(SEED)  # noqa: S311 - to be had again


@pytest.fixture(scope="module")
def everything(replacer: Replacer, chance: random.Random) -> list[Place]:
    """What the user owns, with the files that it has not and could have."""
    recover()
    deployed()
    on_host(
        f"""set -e; units=~/.config/systemd/user
        echo > ~/.psqlrc
        mkdir -p $units/mission-control-worker.service.d
        printf '[Service]\\nNice=1\\n' > $units/mission-control-worker.service.d/own.conf
        echo '{json.dumps(RECORD)}' > {ROOT}/shared/adopted.json
        mkdir -p {ROOT}/shared/backups; echo backup > {ROOT}/shared/backups/x.dump""",
        user=USER,
    )
    return representatives(replacer.places(USER), chance)


def test_the_places_are_those_that_are_known(everything: list[Place]) -> None:
    sorts = {place.sort for place in everything}
    for name in (
        "mission-control/shared",
        "mission-control/shared/history.jsonl",
        "mission-control/shared/identity/device.json",
        "mission-control/shared/backups",
        "mission-control/shared/libexec",
        "mission-control/current",
        ".psqlrc",
        ".config/systemd/user/mission-control-backend.service",
    ):
        assert name in sorts, sorted(sorts)
    assert 60 < len(everything) < 600


def rounds(places: Sequence[Place], chance: random.Random) -> list[Replacements]:
    """What is replaced together: what is important alone, the rest by the dozen, none below another."""
    chief = [(place, chance.sample(place.ways, len(place.ways))) for place in places if important(place)]
    chance.shuffle(chief)
    # Each place is there before one is there a second time.
    alone = [[(place, ways[turn])] for turn in range(len(WAYS)) for place, ways in chief if turn < len(ways)]
    rest = [(place, way) for place in places if not important(place) for way in place.ways]
    chance.shuffle(rest)
    together: list[Replacements] = []
    for place, way in rest:
        for group in together:
            if len(group) < DOZEN and apart(group, place):
                group.append((place, way))
                break
        else:
            together.append([(place, way)])
    found = []
    # Two alone, then a dozen.
    while alone or together:
        found += [alone.pop(0) for _ in range(2) if alone]
        found += [together.pop(0)] if together else []
    return found


def test_host_commands(replacer: Replacer, everything: Sequence[Place], chance: random.Random) -> None:
    every = rounds(everything, chance)
    chosen = every if FULL else every[: len(every) // PART]
    assert len(chosen) > 30
    wrong = []
    for items in chosen:
        marker = f"VICTIM-{secrets.token_hex(8)}"
        acting = chance.random() < (0.15 if FULL else 0.1)
        found = []
        replacer.put(items, marker)
        try:
            commands = COMMANDS if FULL else some(chance)
            answers = list(zip(commands, replacer.run(*map(typed, commands)), strict=True))
            for words in ACTING if acting else ():
                answers.append((words, replacer.run(typed(words))[0]))
            for words, answer in answers:
                name = " ".join(words)
                found += judge(name, answer["output"], marker, status=answer["status"], late=answer["late"])
                if answer["megabytes"] > MEMORY:
                    found.append(f"{name}: takes {answer['megabytes']} MB")
        finally:
            found += replacer.back()
        if acting:
            recover()
        if found:
            what = ", ".join(f"{way} for {place.path}" for place, way in items)
            wrong.append("\n  ".join([f"{what}:", *found]))
            print(wrong[-1])
    print(f"{len(chosen)} of {len(every)} rounds of replacements")
    assert not wrong, "\n".join(wrong)


def some(chance: random.Random) -> tuple[tuple[str, ...], ...]:
    """Some host commands, and now and then the first, which takes as long as all the others."""
    found = chance.sample(COMMANDS[1:], COMMANDS_A_ROUND)
    return (COMMANDS[0], *found) if chance.random() < 0.25 else tuple(found)


def typed(words: Sequence[str]) -> tuple[str, ...]:
    return ("mission-control", *words)


def judge(command: str, output: str, marker: str, *, status: int, late: bool) -> list[str]:
    told = faults_of(output, marker)
    if late:
        told.append(f"hangs for more than {DEADLINE} s")
    if status and not output.strip():
        told.append(f"ends with {status} and says nothing")
    return [f"{command}: {one}" for one in told]


def plays(places: Sequence[Place], chance: random.Random) -> list[tuple[Replacements, Sequence[str]]]:
    """What each run of a playbook finds replaced."""

    def one(place: Place, playbook: Sequence[str]) -> tuple[Replacements, Sequence[str]]:
        return [(place, chance.choice(place.ways))], playbook

    *others, deployment = PLAYBOOKS
    chief = [place for place in places if important(place)]
    if not FULL:
        # Scenario hostile has a deployment over a link in any case: test_attacks.py.
        chosen = zip(
            chance.sample(chief, PLAYBOOKS_TRIED), chance.sample(others, PLAYBOOKS_TRIED), strict=True
        )
        return [one(place, playbook) for place, playbook in chosen]
    found = [one(place, deployment) for place in chief]
    dozens: list[Replacements] = []
    for place in places:
        if not important(place):
            group = next((group for group in dozens if len(group) < DOZEN and apart(group, place)), None)
            if group is None:
                dozens.append(group := [])
            group.append((place, chance.choice(place.ways)))
    found += [(group, deployment) for group in dozens]
    return found + [
        one(place, playbook) for place in chief for playbook in chance.sample(others, PLAYBOOKS_A_PLACE)
    ]


def test_playbooks(replacer: Replacer, everything: Sequence[Place], chance: random.Random) -> None:
    wrong = []
    for items, playbook in plays(everything, chance):
        marker = f"VICTIM-{secrets.token_hex(8)}"
        what = ", ".join(f"{way} for {place.path}" for place, way in items)
        name = f"{what}: {' '.join(playbook)}"
        replacer.put(items, marker)
        try:
            done = play(*playbook)
            print(f"{name}: {done.returncode} after {done.seconds:.0f} s")
            wrong += judge(name, done.output, marker, status=done.returncode, late=done.returncode == 124)
            if done.returncode not in (0, 124) and not done.failures:
                wrong.append(f"{name}: fails without a message")
        finally:
            wrong += [f"{name}: {one}" for one in replacer.back()]
            recover()
    assert not wrong, "\n".join(wrong)


def test_nothing_of_a_victim_is_in_the_journal(replacer: Replacer) -> None:
    assert replacer.ask("journal", text="VICTIM-")["lines"] == []
    everywhere = [HOME, "/tmp", "/var/tmp", "/run", "/etc"]  # noqa: S108
    assert replacer.ask("search", tops=everywhere, text="VICTIM-")["found"] == []


def test_the_host_is_well_afterwards() -> None:
    done = play("maintenance.yml", "-e", "state=off")
    assert done.returncode == 0, done.output
    done = play("deploy.yml", settings=TO_PASS) if FULL else play("status.yml")
    assert done.returncode == 0, done.output

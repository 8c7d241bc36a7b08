"""What restic says, in words and within a time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import restic, standing
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import root_side
from backup_world import World

# As restic 0.18 says them.
NO_SESSION = """\
Fatal: unable to open repository at sftp:keeper@10.0.0.4:/srv/backups: unable to start the sftp session, \
error: error receiving version packet from server: server unexpectedly closed connection: unexpected EOF
"""
REFUSED = """\
Load(<config/0000000000>, 0, 0) returned error, retrying after 1.2s: Get \
"http://10.0.0.4:8000/config": dial tcp 10.0.0.4:8000: connect: connection refused
"""


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (NO_SESSION, "no_login"),
        (f"subprocess ssh: keeper@10.0.0.4: Permission denied (publickey).\n{NO_SESSION}", "no_login"),
        (REFUSED, "unreachable"),
        ('Fatal: Get "http://10.0.0.4:8000/index/a": unexpected EOF', "unreachable"),
        ("Fatal: read tcp 10.0.0.2:40100->10.0.0.4:9000: read: connection reset by peer", "unreachable"),
        ("Load(<data/a1>, 10, 0) failed: unexpected EOF", "damaged"),
        ("Fatal: ciphertext verification failed", "damaged"),
    ],
)
def test_a_lost_connection_is_no_damage(tmp_path: Path, words: str, kind: str) -> None:
    assert World(tmp_path).restic.failure("Opening the repository", 1, words).kind == kind


def test_what_it_says_each_time_it_tries_again_is_the_reason(tmp_path: Path) -> None:
    world = World(tmp_path)
    program = tmp_path / "patient"
    program.write_text(f"#!/bin/sh\ncat >&2 <<'WORDS'\n{REFUSED}WORDS\nexec sleep 60\n")
    program.chmod(0o755)
    patient = restic.Restic(world.configuration, program=str(program))
    began = time.monotonic()
    with pytest.raises(restic.ResticError, match="cannot be reached") as raised:
        patient.run("list", "locks", what="Opening the repository", timeout=1.0)
    assert raised.value.kind == "unreachable" and time.monotonic() - began < 20


def test_the_check_has_its_answer_before_roots_side_gives_up() -> None:
    assert standing.PATIENCE + standing.SERVER_PATIENCE < root_side.PATIENCE

"""Unix sockets that are listened on, of the kernel itself."""

from __future__ import annotations

import socket
from pathlib import Path

from ansible_collections.openclaw.mission_control.plugins.module_utils._host import unix_sockets


def test_a_line_that_somebody_forged_is_left_out(tmp_path: Path) -> None:
    own, forged = str(tmp_path / "own"), b"\0x\nq q q zz q q q q\nFFFF: x"
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as other:
        listening.bind(own)
        listening.listen()
        other.bind(forged)
        other.listen()
        assert own in unix_sockets.listening_paths()


def test_a_socket_whose_file_is_gone_is_still_listed(tmp_path: Path) -> None:
    own = tmp_path / "own"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(own))
        listening.listen()
        own.unlink()
        assert str(own) in unix_sockets.listening_paths()

"""What programs say, in pieces that fit into memory."""

from __future__ import annotations

import io

from ansible_collections.openclaw.mission_control.plugins.module_utils._host import pipes


def test_lines_come_as_they_are_and_longer_ones_in_pieces() -> None:
    assert list(pipes.pieces(io.BytesIO(b"one\ntwo two\n\nthree"), 4)) == [
        b"one\n",
        b"two ",
        b"two\n",
        b"\n",
        b"thre",
        b"e",
    ]
    assert list(pipes.pieces(io.StringIO("a\nb"))) == ["a\n", "b"]

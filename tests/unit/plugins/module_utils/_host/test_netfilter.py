# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the kernel says of nftables."""

from __future__ import annotations

import errno
import struct

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import netfilter


def error(code: int) -> bytes:
    """NLMSG_ERROR with what was asked."""
    return struct.pack("=IHHIIi", 36, 2, 0, 1, 0, -code) + netfilter.question()[:16]


# Generation 906, as Linux 6.1 tells it.
GENERATION = bytes.fromhex("300000000f0a00000100000000000000000001 6a08000100000001".replace(" ", ""))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (GENERATION, ""),
        (error(0), ""),
        (error(errno.EPERM), "Operation not permitted"),
        (error(errno.EINVAL), "this kernel has no nftables (module nf_tables)"),
    ],
)
def test_the_answer(answer: bytes, why: str) -> None:
    assert netfilter.refusal(answer) == why


def test_the_question_is_one_message() -> None:
    asked = netfilter.question()
    assert struct.unpack_from("=I", asked)[0] == len(asked) == 20


def test_where_there_is_no_such_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")

    monkeypatch.setattr(netfilter.socket, "socket", refuse)
    assert netfilter.ask() == "Protocol not supported"

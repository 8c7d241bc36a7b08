# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which boards come along with the registration of their gateway."""

from __future__ import annotations

from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _boards

GATEWAYS = [{"name": "main"}, {"name": "old", "state": "absent"}, {"name": "two", "state": "present"}]


def test_boards_go_with_their_gateway_or_apart() -> None:
    boards = [
        {"name": "a"},
        {"name": "b", "gateway": "two", "state": "present", "objective": "o"},
        {"name": "c", "gateway": "old"},
        {"name": "d", "gateway": "theirs"},
        {"name": "e", "gateway_id": "1"},
        {"name": "f", "state": "absent"},
    ]
    assert _boards.plan(boards, GATEWAYS) == {
        "first": "main",
        "bound": {"main": [{"name": "a"}], "two": [{"name": "b", "objective": "o"}]},
        "apart": boards[2:],
    }


def test_without_registrations_every_board_is_kept_by_itself() -> None:
    assert _boards.plan([{"name": "a"}], []) == {"first": "", "bound": {}, "apart": [{"name": "a"}]}
    assert _boards.plan([], []) == {"first": "", "bound": {}, "apart": []}

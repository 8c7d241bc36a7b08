"""What is parsed by lines has no other ends of lines than the line feed.

`splitlines` knows ten of them, and users put the other nine into names: of control groups, units, processes.
"""

from __future__ import annotations

from source_tree import FILES

# They show what a program or a server says, and go by none of it.
SHOWN = {
    "_application/migrations",
    "_backup/drill",
    "_backup/exporting",
    "_backup/point_in_time",
    "_backup/restic",
    "_backup/server",
    "_backup/streams",
    "_database/login",
    "_database/query",
    "_database/streaming",
    "_gateway/identity",
    "_gateway/installer",
    "_gateway/move",
    "_shown_settings",
    "_verify/checks/database",
    "_verify/checks/log",
}


def test_what_is_parsed_is_split_at_line_feeds() -> None:
    found = {
        str(path).partition("/module_utils/")[2].removesuffix(".py")
        for path in FILES.values()
        if "/module_utils/" in str(path) and ".splitlines(" in path.read_text(encoding="utf-8")
    }
    # Of a terminal's output, which is bytes: those know two ends only.
    assert found - {"_command/terminal"} <= SHOWN

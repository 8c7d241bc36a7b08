"""The files of the host command as they shall be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ansible_collections.openclaw.mission_control.plugins.module_utils._command import installation


def test_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    wanted = installation.Wanted(str(path), b"x", 0o600, os.getuid(), os.getgid())
    assert installation.differs(wanted) == ["missing"]
    installation.install(wanted)
    assert installation.differs(wanted) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    path.write_text("y")
    assert installation.differs(wanted) == ["content", "mode"]
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert installation.differs(wanted) == ["not a regular file"]
    installation.install(wanted)
    assert installation.differs(wanted) == [] and not path.is_symlink()
    installation.remove(str(path), empty_parent=True)
    assert not path.parent.exists()
    installation.remove(str(path))


def test_configuration_is_the_same_for_the_same_settings() -> None:
    one = installation.configuration_text(
        user="u", gateway_user="", root="/r", services=["backend"], verify={"b": 1, "a": 2}
    )
    two = installation.configuration_text(
        user="u", gateway_user="", root="/r", services=["backend"], verify={"a": 2, "b": 1}
    )
    assert one == two and one.endswith("\n")

"""The memory of a host, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.openclaw.mission_control.plugins.module_utils._host import memory


def test_memory(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text(
        "MemTotal: 2048 kB\nMemAvailable: 1024 kB\nSwapTotal: 0 kB\nHugePages_Total: 7\n"
    )
    assert memory.memory_facts(tmp_path) == {
        "total_bytes": 2048 * 1024,
        "available_bytes": 1024 * 1024,
        "swap_bytes": 0,
    }
    assert memory.read_memory(tmp_path)["HugePages_Total"] == 7, "a number of pages is not of bytes"

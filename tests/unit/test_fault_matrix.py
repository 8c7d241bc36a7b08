"""The matrix of faults: what it names is there, and what is there is in it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from docs.writer.matrix import load

MATRIX, FAULTS = load()
COLUMNS = [column["name"] for column in MATRIX["matrix_columns"]]
ROWS = MATRIX["matrix_rows"]
KINDS_OF_CURES = {"person", "deploy", "restart", "command", "wait"}


def named() -> list[str]:
    return [name for row in ROWS for names in row.get("faults", {}).values() for name in names]


def test_every_cell_is_of_a_column_and_says_one_thing() -> None:
    assert len(set(COLUMNS)) == len(COLUMNS) and len({row["name"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        tried, cannot = set(row.get("faults", {})), set(row.get("cannot", {}))
        assert tried | cannot <= set(COLUMNS), row["name"]
        assert not tried & cannot, row["name"]
        assert all(names for names in row.get("faults", {}).values())


def test_a_cell_names_faults_that_there_are_and_every_fault_is_in_one() -> None:
    assert set(named()) == {fault["name"] for fault in FAULTS}


def test_a_fault_is_cured_in_one_way() -> None:
    for fault in FAULTS:
        ways = {"repaired", "follow", "deployed"} & set(fault)
        assert len(ways) <= 1, fault["name"]
        assert ways or "cure" in fault, fault["name"]
        assert fault.get("by", "person") in KINDS_OF_CURES, fault["name"]


def test_the_cells_do_not_become_fewer() -> None:
    assert sum(len(row.get("faults", {})) for row in ROWS) >= 165

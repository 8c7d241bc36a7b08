# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters over what the checks return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._verify.reports.document import document, table
from ..module_utils._verify.reports.formats import RENDERERS, render


def _document(value: Any, name: str = "") -> dict[str, Any]:
    """A document from a document, a report, or a list of reports."""
    reports = [value] if isinstance(value, Mapping) else value
    if not isinstance(reports, Sequence) or isinstance(reports, str) or not reports:
        raise AnsibleFilterError("expected the result of verify or of a check, or a list of them")
    if "views" in reports[0]:
        return dict(reports[0])
    for report in reports:
        if not isinstance(report, Mapping) or not {"verdict", "verdicts"} & report.keys():
            raise AnsibleFilterError("expected the result of verify or of a check: this one has no verdicts")
    found: dict[str, Any] = document(name or str(reports[0]["host"]), reports)
    return found


def verdict_table(value: Any, name: str = "", width: int = 110, verbose: bool = False) -> str:
    """The verdicts as a table for a terminal."""
    return str(table(_document(value, name), width=width, verbose=verbose))


def verdict_report(value: Any, format: str, name: str = "") -> str:
    """The verdicts in one of the report formats."""
    if format not in RENDERERS:
        raise AnsibleFilterError(f"unknown format {format!r}; there are {', '.join(RENDERERS)}")
    return str(render(_document(value, name), format))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"verdict_table": verdict_table, "verdict_report": verdict_report}

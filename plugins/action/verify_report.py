# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Shows verdicts as a table and writes reports, on the controller, without a call to the host."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._host.files import write_atomically
from ..module_utils._verify.baseline import ROLLBACK, compare
from ..module_utils._verify.reports.document import document, table
from ..module_utils._verify.reports.formats import RENDERERS, render
from ..module_utils._verify.verdict import ERROR, FAIL, WARN

display = Display()

FAIL_ON = {"never": (), "fail": (FAIL, ERROR), "warn": (WARN, FAIL, ERROR)}


def file_name(host: str) -> str:
    """A host's name as the name of a file."""
    return re.sub(r"[^\w.-]+", "_", host).strip(".") or "host"


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible's own classes are not typed for mypy
    """The action `verify_report`."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "results": {"type": "list", "elements": "dict", "required": True},
                "name": {"type": "str"},
                "directory": {"type": "path"},
                "formats": {"type": "list", "elements": "str", "default": [], "choices": list(RENDERERS)},
                "baseline": {"type": "path"},
                "fail_on": {"type": "str", "default": "fail", "choices": list(FAIL_ON)},
                "show": {"type": "bool", "default": True},
            }
        )
        reports = [report for report in arguments["results"] if {"verdict", "verdicts"} & report.keys()]
        if not reports:
            raise AnsibleActionFail(
                "results: none of them has verdicts; give results of openclaw.mission_control.verify"
            )
        if arguments["formats"] and not arguments["directory"]:
            raise AnsibleActionFail("directory: it is needed to write reports (verify_report_directory)")
        name = arguments["name"] or (task_vars or {}).get("inventory_hostname") or reports[0]["host"]
        found = document(str(name), reports)
        if arguments["baseline"]:
            found["comparison"] = compare(self._baseline(Path(arguments["baseline"])), found)
        text = table(found, verbose=display.verbosity > 0)
        if arguments["show"]:
            colour = sys.stdout.isatty() and not os.environ.get("ANSIBLE_NOCOLOR")
            display.display(
                "\n" + (table(found, colour=True, verbose=display.verbosity > 0) if colour else text)
            )
        files = self._write(found, arguments["formats"], arguments["directory"], str(name))
        if files and arguments["show"]:
            display.display(f"Reports: {', '.join(files.values())}\n")
        result.update(
            changed=False,
            state=found["state"],
            summary=found["summary"],
            counts=found["counts"],
            comparison=found["comparison"],
            files=files,
            # Shown already: a failing task would print it a second time.
            table="" if arguments["show"] else text,
            msg=found["summary"],
        )
        if found["state"] in FAIL_ON[arguments["fail_on"]]:
            result["failed"] = True
        if (
            found["comparison"]
            and found["comparison"]["decision"] == ROLLBACK
            and arguments["fail_on"] != "never"
        ):
            result["failed"] = True
            result["msg"] = f"ROLLBACK: {found['comparison']['reason']}"
        return result

    @staticmethod
    def _write(
        found: Mapping[str, Any], formats: Sequence[str], directory: str | None, name: str
    ) -> dict[str, str]:
        """A file for each format; returns where they are."""
        files: dict[str, str] = {}
        for wanted in formats:
            place = Path(directory or ".").expanduser().absolute()
            place.mkdir(parents=True, exist_ok=True)
            ending, _renderer = RENDERERS[wanted]
            path = place / f"{file_name(name)}{ending}"
            try:
                previous = path.read_text(encoding="utf-8")
            except (OSError, ValueError):
                previous = ""
            write_atomically(path, render(found, wanted, previous), 0o600)
            files[wanted] = str(path)
        return files

    @staticmethod
    def _baseline(path: Path) -> dict[str, Any]:
        try:
            return dict(json.loads(path.expanduser().read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise AnsibleActionFail(
                f"baseline: {path} cannot be read ({error}); give the JSON report of an earlier run"
            ) from error

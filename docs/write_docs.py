"""Writes what is generated of the documentation: make docs-files.

From the options of the checks: plugins/doc_fragments/checks.py. From docs/writer/returns.py: RETURN of verify
and of each check. From the code of the checks and the table of causes: docs/verdicts.md and its picture.
From the matrix of faults: docs/faults.md.
With --check nothing is written, and what is out of date is named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

from writer import fragments, kinds, matrix, picture, returns, specimens, verdicts  # noqa: E402


def generated() -> Iterator[tuple[Path, str]]:
    """Each generated file with its text."""
    yield ROOT / "plugins" / "doc_fragments" / "checks.py", fragments.render()
    for name in ("verify", *(f"{check}_check" for check in CHECKS)):
        path = ROOT / "plugins" / "modules" / f"{name}.py"
        text = returns.VERIFY if name == "verify" else returns.CHECK
        yield path, returns.with_returns(path.read_text(encoding="utf-8"), text)
    found = kinds.kinds()
    findings = specimens.specimens(found)
    yield ROOT / "docs" / "verdicts.md", verdicts.render(found, findings)
    yield ROOT / "docs" / "verdicts.svg", picture.render(findings)
    yield ROOT / "docs" / "faults.md", matrix.render()


def outdated() -> Iterator[tuple[Path, str]]:
    """Those that say something else than their source."""
    for path, text in generated():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield path, text


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the generated documentation.")
    parser.add_argument("--check", action="store_true", help="only name what is out of date")
    check = parser.parse_args().check
    stale = list(outdated())
    for path, text in stale:
        if not check:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'out of date:' if check else 'wrote'} {path.relative_to(ROOT)}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

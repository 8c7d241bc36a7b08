#!/usr/bin/env python3
"""Run the tests of the reference application: `tests/run.py [--uv PATH] [--python PYTHON] [pytest...]`.

They run with exactly the packages that a deployment gets, on the interpreter given. PostgreSQL and Redis are
started by the tests themselves, from the distribution's packages, on loopback, in a temporary directory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
REPOSITORY = ROOT.parents[1]
CACHE = REPOSITORY / ".cache" / "reference-application"
sys.path.insert(0, str(ROOT))

import pack  # noqa: E402 (it lies beside the tests' directory)


def environment(uv: str, python: str) -> Path:
    """A virtual environment made from the lock file; its interpreter."""
    version = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    target = CACHE / f"python{version}"
    command = [uv, "sync", "--quiet", "--frozen", "--group", "test", "--python", python]
    subprocess.run(
        [*command, "--project", str(ROOT / "backend")],
        check=True,
        env={
            **{name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
            "UV_PROJECT_ENVIRONMENT": str(target),
            "UV_PYTHON_DOWNLOADS": "never",
        },
    )
    return target / "bin" / "python"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--uv", metavar="PATH", help="default: on PATH")
    parser.add_argument(
        "--python", default=sys.executable, help="the interpreter to test on (default: this one)"
    )
    arguments, more = parser.parse_known_args()
    try:
        pack.lock(arguments.uv)
        python = environment(pack.find_uv(arguments.uv), arguments.python)
    except (pack.PackError, subprocess.CalledProcessError, OSError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    # Most of the time goes into starting processes: two at a time, whole files to each.
    command = [str(python), "-m", "pytest", "-n", "2", "--dist", "loadfile", str(TESTS), *more]
    paths = os.pathsep.join([str(ROOT / "backend"), str(TESTS)])
    clean = {**os.environ, "PYTHONPATH": paths, "PYTHONPYCACHEPREFIX": str(CACHE / "pycache")}
    return subprocess.run(command, check=False, cwd=REPOSITORY, env=clean).returncode


if __name__ == "__main__":
    sys.exit(main())

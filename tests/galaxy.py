#!/usr/bin/env python3
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Look at the collection as Galaxy and the documentation's site do: at what is in its archive.

ansible-test sanity, antsibull-docs lint-collection-docs and galaxy-importer, in an environment of their own
in .cache/galaxy. Where the Python that they want is not to be had, the last line says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import matrix

CHECKOUT = matrix.CHECKOUT
PLACE = CHECKOUT / ".cache" / "galaxy"
HOME = PLACE / "home"
REQUIREMENTS = CHECKOUT / "tests" / "galaxy.txt"
PYTHON = "3.13"
# pylint, import and galaxy-importer are in `make test-full` only; pslint and shellcheck want programs that
# nothing here is written for: there is no PowerShell and no shell script in the collection.
SKIPPED = ("pslint", "shellcheck")
SLOW = ("import", "pylint")
# ansible-test fetches pip for its environments from a place of its own, unless it finds this here.
GET_PIP = """\
import subprocess, sys
asked = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"])
subprocess.check_call([sys.executable, "-m", "pip", "install", *asked])
"""


def set_up() -> bool:
    """Make the environment, unless it is there; False where its Python is not to be had."""
    return matrix.environment_for(PLACE, PYTHON, REQUIREMENTS, "--prerelease", "if-necessary-or-explicit")


def surroundings() -> dict[str, str]:
    """Without the configuration of the checkout, with a home of its own for what ansible-test keeps."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    path = f"{PLACE / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {
        **kept,
        "PATH": path,
        "HOME": str(HOME),
        "ANSIBLE_HOME": str(HOME / ".ansible"),
        "LC_ALL": "C.UTF-8",
        "PYENV_VERSION": "",
    }


def run(*command: str, cwd: Path = CHECKOUT) -> bool:
    """Whether a command went well."""
    print(f"--- {' '.join(command)}", flush=True)
    return subprocess.run(command, cwd=cwd, env=surroundings(), check=False).returncode == 0


def unpack() -> tuple[Path, Path]:
    """The archive of the collection, and the place where it is unpacked as ansible-test wants it."""
    dist, place = PLACE / "dist", PLACE / "collections/ansible_collections/openclaw/mission_control"
    shutil.rmtree(dist, ignore_errors=True)
    shutil.rmtree(place, ignore_errors=True)
    if not run("ansible-galaxy", "collection", "build", "--output-path", str(dist)):
        raise SystemExit("The archive of the collection cannot be built.")
    (archive,) = dist.glob("*.tar.gz")
    place.mkdir(parents=True)
    with tarfile.open(archive) as content:
        content.extractall(place, filter="data")
    # ansible-test asks Git what belongs to the collection.
    run("git", "init", "--quiet", ".", cwd=place)
    run("git", "add", "--all", cwd=place)
    return archive, place


def offer_pip() -> None:
    """What ansible-test looks for before it fetches pip for the environments of its tests."""
    (library,) = (PLACE / "lib").glob("python3*/site-packages/ansible_test/_internal/python_requirements.py")
    for version in re.findall(r"pip='([\d.]+)'", library.read_text()):
        script = HOME / f".ansible/test/cache/get_pip_{version.replace('.', '_')}.py"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(GET_PIP)


def main() -> int:
    if not set_up():
        print(f"Galaxy's tools were not run: Python {PYTHON} is not to be had here")
        return 0
    archive, place = unpack()
    offer_pip()
    full = "--full" in sys.argv
    skipped = [word for test in (*SKIPPED, *(() if full else SLOW)) for word in ("--skip-test", test)]
    sanity = ("ansible-test", "sanity", "--color", "no", "--requirements", "--python", PYTHON)
    lint = ("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "all")
    passed = [
        run(*sanity, *skipped, cwd=place),
        run(*lint, "--disallow-unknown-collection-refs", ".", cwd=place),
        # It takes minutes, most of them in ansible-lint, which `make lint` runs anyway.
        not full or run("python", "-m", "galaxy_importer.main", str(archive), cwd=PLACE),
    ]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())

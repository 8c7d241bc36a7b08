#!/usr/bin/env python3
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Test with other versions of ansible-core than that in .cache/venv, which is the oldest that is supported.

Each has an environment of its own in .cache/matrix, with a Python that it wants. Where that Python is not
there and cannot be had, the version is left out and the last line says so.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PLACE = CHECKOUT / ".cache" / "matrix"
REQUIREMENTS = CHECKOUT / "tests" / "requirements.txt"
# What asks Ansible for something: modules, actions, filters, callbacks, roles. The other tests are of Python
# that has never heard of Ansible; `make unit` runs them once.
TOUCHING_ANSIBLE = (
    "tests/unit/plugins/action",
    "tests/unit/plugins/callback",
    "tests/unit/plugins/filter",
    "tests/unit/plugins/module_utils/test_discreet.py",
    "tests/unit/plugins/modules",
    "tests/unit/roles",
    "tests/unit/test_modules.py",
)


@dataclass(frozen=True)
class Version:
    """ansible-core and what goes with it: the package `ansible` with its collections, and a Python."""

    name: str
    core: str
    ansible: str
    python: str

    @property
    def environment(self) -> Path:
        return PLACE / self.name

    @property
    def interpreter(self) -> Path:
        return self.environment / "bin" / "python"


# Beside the oldest, which tests/requirements.txt names.
VERSIONS = (
    Version("2.20", "2.20.10", "13.8.0", "3.12"),
    Version("2.21", "2.21.5", "14.5.0", "3.13"),
    Version("2.22", "2.22.0rc1", "15.0.0a3", "3.13"),
)


def requirements(version: Version, text: str) -> list[str]:
    """tests/requirements.txt with another ansible-core and its collections."""
    pins = {"ansible": version.ansible, "ansible-core": version.core}
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    names = [re.split(r"[=<>~]", line)[0] for line in lines]
    return [
        f"{name}=={pins.get(name) or line.split('==')[1]}" for name, line in zip(names, lines, strict=True)
    ]


def candidates(python: str, environment: Mapping[str, str] = os.environ) -> Iterable[str]:
    """Where a Python may be: on PATH, or one of those that pyenv keeps."""
    for directory in environment.get("PATH", "").split(os.pathsep):
        yield str(Path(directory) / f"python{python}")
    pyenv = Path(environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{python}.*/bin/python"), reverse=True))


def works(program: str, python: str) -> bool:
    """Whether it is that Python, and not a stand-in for one that is missing."""
    if not shutil.which(program):
        return False
    asked = [program, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == python


def find_python(python: str, uv: str) -> str:
    """A Python of that version: one of the machine's, or one that uv fetches; empty where there is none."""
    for program in candidates(python):
        if works(program, python):
            return program
    subprocess.run([uv, "python", "install", "--quiet", python], check=False)
    found = subprocess.run(
        [uv, "python", "find", "--quiet", python], capture_output=True, text=True, check=False
    ).stdout.strip()
    return found if found and works(found, python) else ""


def environment_for(place: Path, python: str, requirements: Path, *options: str) -> bool:
    """Make an environment with these packages, unless it is there; False where there is no such Python."""
    mark = place / "installed"
    if mark.exists() and mark.read_text() == requirements.read_text():
        return True
    uv = shutil.which("uv") or "uv"
    program = find_python(python, uv)
    if not program:
        return False
    print(f"Installing {requirements.relative_to(CHECKOUT)} into {place.relative_to(CHECKOUT)}", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([uv, "venv", "--quiet", "--python", program, str(place)], check=True)
    install = [uv, "pip", "install", "--quiet", *options, "--python", str(place / "bin" / "python")]
    subprocess.run([*install, "-r", str(requirements)], check=True)
    mark.write_text(requirements.read_text())
    return True


def set_up(version: Version) -> bool:
    """Make its environment, unless it is there; False where its Python is not to be had."""
    wanted = [*requirements(version, REQUIREMENTS.read_text()), f"python=={version.python}", str(CHECKOUT)]
    mark = version.environment / "installed"
    if mark.exists() and mark.read_text().splitlines() == wanted:
        return True
    uv = shutil.which("uv") or "uv"
    python = find_python(version.python, uv)
    if not python:
        return False
    print(f"Installing ansible-core {version.core} into {version.environment}", flush=True)
    shutil.rmtree(version.environment, ignore_errors=True)
    quiet = {"check": True, "cwd": CHECKOUT}
    subprocess.run([uv, "venv", "--quiet", "--python", python, str(version.environment)], **quiet)  # type: ignore[call-overload]
    install = [uv, "pip", "install", "--quiet", "--prerelease", "allow", "--python", str(version.interpreter)]
    subprocess.run([*install, *wanted[:-2]], **quiet)  # type: ignore[call-overload]
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    library = subprocess.run([version.interpreter, "-c", asked], capture_output=True, text=True, check=True)
    link = Path(library.stdout.strip()) / "checkout.pth"
    link.write_text(f"{CHECKOUT / '.cache' / 'collections'}\n")
    mark.write_text("\n".join(wanted) + "\n")
    return True


def surroundings(version: Version, scenario: str = "") -> dict[str, str]:
    """The environment of its programs; hosts, snapshots and Ansible's own files are its own."""
    place = version.environment
    label = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:6]
    return {
        **os.environ,
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(place),
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_HOME": str(place / "home"),
        "SANDBOX_RUN": f"{label}-{version.name.replace('.', '-')}",
        "SANDBOX_STATE": str(place / "sandbox"),
        "MOLECULE_GLOB": "molecule/*/molecule.yml",
        **({"MOLECULE_EPHEMERAL_DIRECTORY": str(place / "molecule" / scenario)} if scenario else {}),
    }


def run(version: Version, *command: str, scenario: str = "") -> bool:
    """Whether the command went well."""
    print(f"--- ansible-core {version.core}: {' '.join(command)}", flush=True)
    done = subprocess.run(command, cwd=CHECKOUT, env=surroundings(version, scenario), check=False)
    return done.returncode == 0


def unit(version: Version, *tests: str) -> bool:
    """Unit tests, over all processors."""
    workers = str((os.cpu_count() or 1) + 1)
    options = ("-p", "no:cacheprovider", "-n", workers, "--dist", "loadfile", "--no-loadscope-reorder")
    return run(version, "python", "-m", "pytest", *options, *tests)


def scenarios(version: Version) -> bool:
    """ansible-lint; two deployments of a bare host and verify; the search for leaks."""
    passed = [run(version, "ansible-lint")]
    try:
        deployed = run(version, "molecule", "test", "-s", "default", scenario="default")
        passed.append(deployed and run(version, "molecule", "test", "-s", "leaks", scenario="leaks"))
    finally:
        run(version, "python", "molecule/shared/sandbox.py", "destroy", "--all")
    return all(passed)


WORK: dict[str, Callable[[Version], bool]] = {
    "setup": lambda _version: True,
    "unit": lambda version: unit(version, *TOUCHING_ANSIBLE),
    "scenarios": scenarios,
    "everything": lambda version: all([unit(version, "tests/unit"), scenarios(version)]),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=list(WORK), help="unit: those that touch Ansible")
    names = [version.name for version in VERSIONS]
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=f"newest, or of {', '.join(names)}")
    arguments = parser.parse_args()
    wanted = [names[-1] if name == "newest" else name for name in arguments.versions or names]
    if unknown := set(wanted) - set(names):
        parser.error(f"no version {', '.join(sorted(unknown))}; there are newest, {', '.join(names)}")
    left_out, failed = [], []
    for version in [version for version in VERSIONS if version.name in wanted]:
        if not set_up(version):
            left_out.append(version)
        elif not WORK[arguments.what](version):
            failed.append(version)
    for version in left_out:
        print(f"ansible-core {version.core} was not tested: Python {version.python} is not to be had here")
    for version in failed:
        print(f"ansible-core {version.core}: failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""What is generated of the documentation says what its source says; `make docs-files` writes it anew."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import (
    CHECKS,
    COMMON,
    VERIFY,
    Options,
)

ROOT = Path(__file__).resolve().parents[5]


sys.path.insert(0, str(ROOT / "docs"))

from writer import option_texts  # noqa: E402


def module_documentation(name: str) -> dict[str, Any]:
    source = (ROOT / "plugins" / "modules" / f"{name}.py").read_text()
    match = re.search(r'^DOCUMENTATION = r"""(.*?)"""', source, re.MULTILINE | re.DOTALL)
    assert match
    return dict(yaml.safe_load(match[1]))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "plugins" / "modules").glob("*.py")), ids=lambda path: path.stem
)
def test_no_result_has_a_key_that_means_something_else_in_the_background(path: Path) -> None:
    """async_status takes a task whose result has `started`, and no `finished`, for one that still runs."""
    match = re.search(r'^RETURN = r?"""(.*?)"""', path.read_text(), re.MULTILINE | re.DOTALL)
    assert match
    assert not {"started", "finished", "ansible_job_id"} & set(yaml.safe_load(match[1]) or {})


def test_generated_documentation_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "write_docs.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "run: make docs-files"


def test_what_is_out_of_date_is_named_and_written_anew(tmp_path: Path) -> None:
    for folder in ("docs", "plugins"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copytree(ROOT / "molecule" / "faults" / "vars", tmp_path / "molecule" / "faults" / "vars")
    fragment = tmp_path / "plugins" / "doc_fragments" / "checks.py"
    module = tmp_path / "plugins" / "modules" / "log_check.py"
    told = fragment.read_text(), module.read_text()
    fragment.write_text(told[0].replace("default: 10.0", "default: 11.0"))
    module.write_text(told[1].replace("One line on what was found.", "Something else."))
    assert (fragment.read_text(), module.read_text()) != told

    def write(*arguments: str) -> tuple[int, list[str]]:
        program = [sys.executable, tmp_path / "docs" / "write_docs.py", *arguments]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    stale = ["plugins/doc_fragments/checks.py", "plugins/modules/log_check.py"]
    assert write("--check") == (1, [f"out of date: {name}" for name in stale])
    assert write() == (0, [f"wrote {name}" for name in stale])
    assert (fragment.read_text(), module.read_text()) == told
    assert write("--check") == (0, [])


def test_every_kind_of_finding_is_in_the_page() -> None:
    page = (ROOT / "docs" / "verdicts.md").read_text()
    for kind in ("port_closed", "gateway_tls", "redis_tls", "database_login", "log_tracebacks", "restarted"):
        assert f"### `{kind}`" in page


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_has_a_module_that_extends_its_fragment(check: str) -> None:
    documentation = module_documentation(f"{check}_check")
    assert documentation["extends_documentation_fragment"] == [
        "openclaw.mission_control.attributes",
        "openclaw.mission_control.checks",
        f"openclaw.mission_control.checks.{check}",
    ]
    assert option_texts.TITLES[check] in documentation["description"][0]


def test_every_check_is_in_verify_and_in_the_action_group() -> None:
    source = (ROOT / "plugins" / "modules" / "verify.py").read_text()
    group = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]["mission_control"]
    assert set(group) == {"verify", *(f"{check}_check" for check in CHECKS)}
    for check in CHECKS:
        assert f'"{check}": {check}.run' in source


def test_no_option_of_a_check_hides_a_common_one() -> None:
    for name, options in CHECKS.items():
        assert not set(options) & set(COMMON), name
        assert not set(CHECKS) & set(options), name
    assert not set(VERIFY) & set(COMMON)


def names(options: Options, above: str = "") -> list[str]:
    """The options by name, and below each those of its elements."""
    found = []
    for name, option in options.items():
        found += [f"{above}{name}", *names(option.get("options") or {}, f"{above}{name}.")]
    return found


def test_every_option_has_a_text_and_every_text_an_option() -> None:
    assert list(option_texts.COMMON) == names(COMMON)
    assert list(option_texts.VERIFY) == names(VERIFY)
    assert {check: list(texts) for check, texts in option_texts.CHECKS.items()} == {
        check: names(options) for check, options in CHECKS.items()
    }
    assert list(option_texts.TITLES) == list(CHECKS)

"""The documentation fragments say what the options' definition says.

After a change of `plugins/module_utils/_verify/options.py`:
python tests/unit/plugins/module_utils/_verify/test_documentation.py
"""

from __future__ import annotations

import re
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
    verify_options,
)

ROOT = Path(__file__).resolve().parents[5]
FRAGMENT = ROOT / "plugins" / "doc_fragments" / "checks.py"
HEAD = '''# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of the checks. Written from plugins/module_utils/_verify/options.py by
tests/unit/plugins/module_utils/_verify/test_documentation.py: change them there.
"""

from __future__ import annotations


class ModuleDocFragment:
'''


def documented(options: Options) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, option in options.items():
        entry: dict[str, Any] = {"description": [option["description"]], "type": option["type"]}
        for key in ("elements", "choices", "required", "default"):
            if key in option:
                entry[key] = option[key]
        if "options" in option:
            entry["suboptions"] = documented(option["options"])
        if option["type"] == "dict" and name in CHECKS:
            # With apply_defaults there is no default of its own.
            entry.pop("default", None)
        found[name] = entry
    return found


def sections() -> dict[str, Options]:
    verify = {name: option for name, option in verify_options().items() if name not in COMMON}
    return {
        "DOCUMENTATION": COMMON,
        **{name.upper(): options for name, (_title, options) in CHECKS.items()},
        "VERIFY": verify,
    }


def render() -> str:
    text = HEAD
    for name, options in sections().items():
        body = yaml.safe_dump({"options": documented(options)}, sort_keys=False, width=90, allow_unicode=True)
        text += f'    {name} = r"""\n{body}"""\n\n'
    return text.rstrip("\n") + "\n"


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


def test_fragments_are_written_from_the_definition() -> None:
    assert FRAGMENT.read_text() == render()


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_has_a_module_that_extends_its_fragment(check: str) -> None:
    documentation = module_documentation(f"{check}_check")
    assert documentation["extends_documentation_fragment"] == [
        "openclaw.mission_control.attributes",
        "openclaw.mission_control.checks",
        f"openclaw.mission_control.checks.{check}",
    ]
    assert CHECKS[check][0] in documentation["description"][0]


def test_every_check_is_in_verify_and_in_the_action_group() -> None:
    source = (ROOT / "plugins" / "modules" / "verify.py").read_text()
    group = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]["mission_control"]
    assert set(group) == {"verify", *(f"{check}_check" for check in CHECKS)}
    for check in CHECKS:
        assert f'"{check}": {check}.run' in source


def test_no_option_of_a_check_hides_a_common_one() -> None:
    for name, (_title, options) in CHECKS.items():
        assert not set(options) & set(COMMON), name
        assert not set(CHECKS) & set(options), name
    assert not set(VERIFY) & set(COMMON)


if __name__ == "__main__":
    FRAGMENT.write_text(render())
    sys.stdout.write(f"wrote {FRAGMENT}\n")

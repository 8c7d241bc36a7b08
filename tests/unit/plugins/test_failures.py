"""How modules end: Ansible shows all of a failure, some of a success. Nothing of that may move a terminal."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from controller import received

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
# It is there that a failure is cleaned, and that secrets are taken out of it.
HOMES = {"module_utils/_failing.py", "module_utils/_discreet.py"}
WILD = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"

MODULE = """
import sys
from ansible.module_utils import basic
from ansible_collections.openclaw.mission_control.plugins.module_utils import _ansible_module as ours
from ansible_collections.openclaw.mission_control.plugins.module_utils._discreet import DiscreetModule
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError

def work():
    if sys.argv[1] == "success":
        wild = {wild!r}
        shown = {{"msg": wild, "diff": [{{"before": wild, "after": wild, "after_header": wild}}]}}
        told = {{"warnings": [wild], "deprecations": [{{"msg": wild}}]}}
        return {{"changed": True, "text": wild, "files": [wild], **shown, **told}}
    if sys.argv[1] == "HostError":
        raise HostError({wild!r}, kind="trial", remedy={wild!r})
    raise OSError(2, {wild!r}, {wild!r})

basic._ANSIBLE_ARGS = b'{{"ANSIBLE_MODULE_ARGS": {{}}}}'
basic._ANSIBLE_PROFILE = "legacy"
ours.finish({module}(argument_spec={{}}), work, {{"services": [{wild!r}]}})
"""


def end(module: str, how: str) -> dict[str, Any]:
    argv = [sys.executable, "-c", MODULE.format(wild=WILD, module=module), how]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    told: dict[str, Any] = json.loads(received(done.stdout))
    return told


@pytest.mark.parametrize("module", ["basic.AnsibleModule", "DiscreetModule"])
def test_nothing_that_is_shown_of_a_success_moves_one(module: str) -> None:
    told = end(module, "success")
    assert told["changed"] and told["text"] == WILD and told["files"] == [WILD]
    texts = str([told[name] for name in ("msg", "diff", "warnings", "deprecations")])
    assert texts.count("owned") == 6 and texts.encode("unicode_escape").decode() == texts, texts
    assert not any(word in texts for word in ("\\x1b", "\\x07", "\\x9b", "\\u202e")), texts


@pytest.mark.parametrize("error", ["HostError", "OSError"])
def test_nothing_of_a_failure_moves_a_terminal(error: str) -> None:
    told = end("basic.AnsibleModule", error)
    assert told["failed"] and "owned" in told["msg"] and "owned" in told["services"][0], told
    texts = f"{told['msg']}{told['services']}{told.get('remedy')}"
    assert not any(letter in texts for letter in "\x1b\x07\x9b\u202e"), texts


def test_no_module_fails_by_another_way() -> None:
    found = []
    for path in sorted([*(PLUGINS / "modules").glob("*.py"), *(PLUGINS / "module_utils").rglob("*.py")]):
        name = path.relative_to(PLUGINS).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "fail_json" and name not in HOMES:
                found.append(f"{name}:{node.lineno}")
    assert found == [], "use fail of _failing"

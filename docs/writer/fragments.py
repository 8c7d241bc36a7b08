"""The options of the checks as documentation fragments."""

from __future__ import annotations

from typing import Any

import yaml
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import (
    CHECKS,
    COMMON,
    Options,
    verify_options,
)

HEAD = '''# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of the checks. Written by docs/write_docs.py from plugins/module_utils/_verify/options.py:
change them there.
"""

from __future__ import annotations


class ModuleDocFragment:
'''


def documented(options: Options) -> dict[str, Any]:
    """Options as Ansible documents them."""
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
    """The fragments by name."""
    verify = {name: option for name, option in verify_options().items() if name not in COMMON}
    return {
        "DOCUMENTATION": COMMON,
        **{name.upper(): options for name, (_title, options) in CHECKS.items()},
        "VERIFY": verify,
    }


def render() -> str:
    """The whole file."""
    text = HEAD
    for name, options in sections().items():
        body = yaml.safe_dump({"options": documented(options)}, sort_keys=False, width=90, allow_unicode=True)
        text += f'    {name} = r"""\n{body}"""\n\n'
    return text.rstrip("\n") + "\n"

"""The options of the checks as documentation fragments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import (
    CHECKS,
    COMMON,
    Options,
    verify_options,
)

from . import option_texts

_REFERENCE = re.compile(r"O\((\w+)\)")
# The Python libraries that a check needs where it runs; those that are not here ask over HTTP.
LIBRARIES = {
    "host": (),
    "log": (),
    "backup": (),
    "queue": (),
    "service": (),
    "database": ("psycopg2",),
    "verify": ("requests", "psycopg2"),
}

HEAD = '''# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of the checks. Written by docs/write_docs.py from plugins/module_utils/_verify/options.py and
docs/writer/option_texts.py: change them there.
"""

from __future__ import annotations


class ModuleDocFragment:
'''


def _below(above: str, name: str, options: Options) -> str:
    return f"O({above}.{name})" if name in options else f"O({name})"


def documented(options: Options, texts: Mapping[str, str], above: str = "") -> dict[str, Any]:
    """Options as Ansible documents them.

    above: the option whose suboptions they are; O(name) of one of them has to say it.
    """
    found: dict[str, Any] = {}
    for name, option in options.items():
        text = texts[name]
        if above:
            text = _REFERENCE.sub(lambda match: _below(above, match[1], options), text)
        entry: dict[str, Any] = {"description": [text], "type": option["type"]}
        for key in ("elements", "choices", "required", "default"):
            if key in option:
                entry[key] = option[key]
        if "options" in option:
            below = option_texts.CHECKS.get(name) or _texts_below(texts, name)
            entry["suboptions"] = documented(option["options"], below, name)
        if option["type"] == "dict" and name in CHECKS:
            # With apply_defaults there is no default of its own.
            entry.pop("default", None)
        found[name] = entry
    return found


def _texts_below(texts: Mapping[str, str], above: str) -> dict[str, str]:
    prefix = f"{above}."
    return {name.removeprefix(prefix): text for name, text in texts.items() if name.startswith(prefix)}


def sections() -> dict[str, tuple[Options, Mapping[str, str]]]:
    """The fragments by name: options, and what they mean."""
    verify = {name: option for name, option in verify_options().items() if name not in COMMON}
    of_checks = {name: f"Options of the check that {title}." for name, title in option_texts.TITLES.items()}
    return {
        "DOCUMENTATION": (COMMON, option_texts.COMMON),
        **{name.upper(): (options, option_texts.CHECKS[name]) for name, options in CHECKS.items()},
        "VERIFY": (verify, {**option_texts.VERIFY, **of_checks}),
    }


def render() -> str:
    """The whole file."""
    text = HEAD
    for name, (options, texts) in sections().items():
        content: dict[str, Any] = {"options": documented(options, texts)}
        libraries = () if name == "DOCUMENTATION" else LIBRARIES.get(name.lower(), ("requests",))
        if libraries:
            content["requirements"] = [f"{library} (Python library)" for library in libraries]
        body = yaml.safe_dump(content, sort_keys=False, width=90, allow_unicode=True)
        text += f'    {name} = r"""\n{body}"""\n\n'
    return text.rstrip("\n") + "\n"

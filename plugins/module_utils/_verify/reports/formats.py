# SPDX-License-Identifier: GPL-3.0-or-later
"""Report formats. Each is a module of its own: `render`, a pure function from the document to a text."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

# Format: file name's ending and the module that writes it.
RENDERERS: dict[str, tuple[str, str]] = {
    "json": (".json", "json"),
    "junit": (".xml", "junit"),
    "prometheus": (".prom", "prometheus"),
    "nagios": (".nagios", "nagios"),
    "tap": (".tap", "tap"),
    "markdown": (".md", "markdown"),
    "html": (".html", "html"),
}


def render(document: Document, format: str, previous: str = "") -> str:
    """The document in that format. `previous` is the report that this one replaces, if there is one."""
    # By name: a timer's run shall not load an XML library to print a table.
    renderer = importlib.import_module(f".{RENDERERS[format][1]}", __package__).render
    text: str = renderer(document, previous) if format == "prometheus" else renderer(document)
    return text

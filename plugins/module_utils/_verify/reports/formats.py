# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Report formats. Each is a pure function from the document to a text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Document = Mapping[str, Any]


def _json(document: Document) -> str:
    return json.dumps(document, indent=2, sort_keys=False) + "\n"


def _junit(document: Document) -> str:
    from .junit import render

    return render(document)


def _prometheus(document: Document, previous: str = "") -> str:
    from .prometheus import render

    return render(document, previous)


def _nagios(document: Document) -> str:
    from .nagios import render

    return render(document)


def _markdown(document: Document) -> str:
    from .markdown import render

    return render(document)


def _tap(document: Document) -> str:
    from .tap import render

    return render(document)


def _html(document: Document) -> str:
    from .html import render

    return render(document)


# Format: file name's ending and what writes it.
RENDERERS: dict[str, tuple[str, Callable[[Document], str]]] = {
    "json": (".json", _json),
    "junit": (".xml", _junit),
    "prometheus": (".prom", _prometheus),
    "nagios": (".nagios", _nagios),
    "tap": (".tap", _tap),
    "markdown": (".md", _markdown),
    "html": (".html", _html),
}


def render(document: Document, format: str, previous: str = "") -> str:
    """The document in that format. `previous` is the report that this one replaces, if there is one."""
    if format == "prometheus":
        return _prometheus(document, previous)
    return RENDERERS[format][1](document)

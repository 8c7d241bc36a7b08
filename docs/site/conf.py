"""How Sphinx makes the site of what docs/build_site.py gathered."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import mermaidx
from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

project = "OpenClaw Mission Control"
author = "OpenClaw Mission Control collection contributors"
copyright = f"{author}, GPL-3.0-or-later"
version = release = os.environ["SITE_VERSION"]
html_title = f"Mission Control {version}"

extensions = ["myst_parser", "sphinx_antsibull_ext", "sphinx_copybutton"]
# Headings have the anchors that GitHub gives them: links between pages name them.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline", "colon_fence"]
# Shells are shown with what they answer; only what is typed is copied.
copybutton_prompt_text = r"[$#] "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "source_repository": "https://github.com/openclaw/ansible-mission-control/",
    "top_of_page_buttons": [],
}
highlight_language = "text"
# GitHub knows it, Pygments does not.
lexers["haproxy"] = TextLexer()
# Options of commands begin with two hyphens, not with a dash.
smartquotes = False

# What is documented with Ansible itself, by the names under which its pages are referred to.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
_PLUGIN = re.compile(r"ansible_collections\.(\w+)\.(\w+)\.(\w+_(?:callback|filter|lookup|module))")
_MERMAID = re.compile(r"(?ms)^```mermaid\n(.*?)^```$")


def elsewhere(_app: Any, _environment: Any, node: Any, contents: Any) -> nodes.reference | None:
    """The address of what Ansible's own documentation has; nothing has to be asked over the network."""
    target = node.get("reftarget", "")
    plugin = _PLUGIN.fullmatch(target)
    if plugin and plugin[1] != "openclaw":
        page = f"collections/{plugin[1]}/{plugin[2]}/{plugin[3]}.html"
    elif node.get("reftype") == "envvar" and target.startswith("ANSIBLE_"):
        page = f"reference_appendices/config.html#envvar-{target}"
    else:
        page = PAGES.get(target, "")
    return nodes.reference("", "", contents, internal=False, refuri=f"{ANSIBLE}/{page}") if page else None


def draw(app: Any, _document: str, source: list[str]) -> None:
    """Diagrams, which GitHub draws by itself, as pictures."""

    def picture(match: re.Match[str]) -> str:
        name = f"diagram-{hashlib.sha256(match[1].encode()).hexdigest()[:12]}.svg"
        Path(app.srcdir, name).write_text(mermaidx.render(match[1]).svg(), encoding="utf-8")
        return f"![A diagram of what follows](/{name})"

    source[0] = _MERMAID.sub(picture, source[0])


def setup(app: Any) -> None:
    app.connect("missing-reference", elsewhere)
    app.connect("source-read", draw)

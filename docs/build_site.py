#!/usr/bin/env python3
"""Builds the documentation's site into .cache/site/html: make docs.

What it shows is written elsewhere: docs/*.md, the README and those of the roles, and what Ansible knows of
each role, module and filter (antsibull-docs). docs/site has what only the site has. Everything is gathered
in .cache/site/source, with links between files made links between pages; Sphinx makes HTML of it, and any
warning is an error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import matrix  # noqa: E402

COLLECTION = "openclaw.mission_control"
REPOSITORY = "https://github.com/openclaw/ansible-mission-control"
SITE = ROOT / "docs" / "site"
PICTURES = ROOT / "docs" / "images"
PLACE = ROOT / ".cache" / "site"
SOURCE = PLACE / "source"
HTML = PLACE / "html"
REQUIREMENTS = SITE / "requirements.txt"
PYTHON = "3.13"
# A kind of plugin: the end of its files' names, and what its page says first.
KINDS = {
    "roles": (
        "role",
        "Roles",
        "Each does one thing; `deploy.yml` brings them together.",
    ),
    "modules": (
        "module",
        "Modules",
        "Checks, and steps of a deployment, for playbooks of your own.",
    ),
    "filters": ("filter", "Filters", "What the playbooks and roles have computed."),
    "tests": ("test", "Tests", "What the playbooks and roles ask of a value."),
    "callbacks": ("callback", "Callbacks", "How a run is shown."),
}
_FENCE = re.compile(r"(?ms)^ *(`{3,})[^\n]*\n.*?^ *\1 *$")
_LINK = re.compile(r"(?<!!)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
_SECTION = re.compile(r"<!-- README: (.+?) -->")
_CONTENTS = re.compile(r"(?m)^\.\. contents::\n(?: +:.*\n)*")
_TITLE = re.compile(rf"(?m)^({re.escape(COLLECTION)}\.(\w+) \w+) -- (.+)$")
_SHOWN = re.compile(_TITLE.pattern.replace(" -- ", ": "))


# --- links


def page_of(path: Path) -> str:
    """The page that shows a file of the repository, or the picture, from the site's top; else empty."""
    name = path.relative_to(ROOT).as_posix()
    if path.parent == PICTURES:
        return f"{PICTURES.name}/{path.name}"
    if name == "docs/verdicts.md":
        return "verdicts/index.md"
    if name == "README.md":
        return "first-deployment.md"
    if name == "CHANGELOG.md":
        return "changelog.md"
    role = re.fullmatch(r"roles/(\w+)/README\.md", name)
    if role:
        return f"roles/{role[1]}.md"
    return path.name if re.fullmatch(r"docs/[\w-]+\.md", name) else ""


def verdict_page(part: str) -> tuple[str, str]:
    """The page of the site that shows a part of docs/verdicts.md, and what is left of its anchor."""
    name = part.removeprefix("#")
    if name == "all-kinds":
        return "verdicts/all-kinds.md", ""
    kinds = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    if f"\n### `{name}`\n" in kinds:
        return f"verdicts/kinds/{name}.md", ""
    return "verdicts/index.md", part


def outside_fences(text: str, change: Callable[[str], str]) -> str:
    """Text with everything changed that is no example."""
    parts, place = [], 0
    for fence in _FENCE.finditer(text):
        parts += [change(text[place : fence.start()]), fence[0]]
        place = fence.end()
    return "".join([*parts, change(text[place:])])


def with_links(text: str, written: Path, shown: str) -> str:
    """Links of a file as links of the page that shows it; what is no page is on GitHub."""

    def link(match: re.Match[str]) -> str:
        target = (written.parent / match[1]).resolve()
        if not target.exists():
            raise SystemExit(f"{written.relative_to(ROOT)}: there is no {match[1]}")
        page, part = page_of(target), match[2] or ""
        if target == ROOT / "docs" / "verdicts.md":
            page, part = verdict_page(part)
        if page:
            return f"]({os.path.relpath(page, Path(shown).parent)}{part})"
        return f"]({REPOSITORY}/blob/main/{target.relative_to(ROOT).as_posix()}{match[2] or ''})"

    return outside_fences(text, lambda part: _LINK.sub(link, part))


# --- pages


def section(title: str) -> str:
    """A section of the README, with its heading."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"(?ms)^## {re.escape(title)}\n.*?(?=^## |\Z)", text)
    if not found:
        raise SystemExit(f"README.md has no section {title!r}")
    return with_links(found[0], ROOT / "README.md", "index.md")


def own_pages() -> Iterator[tuple[str, str]]:
    """Those in docs/site/pages, with sections of the README where they ask for them."""
    for path in sorted((SITE / "pages").glob("*.md")):
        yield path.name, _SECTION.sub(lambda match: section(match[1]), path.read_text(encoding="utf-8"))


def written_pages() -> Iterator[tuple[str, str]]:
    """docs/*.md, the READMEs of the roles, the changes."""
    paths = [path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "verdicts.md"]
    for path in [*paths, ROOT / "CHANGELOG.md"]:
        yield page_of(path), with_links(path.read_text(encoding="utf-8"), path, page_of(path))
    for path in sorted((ROOT / "roles").glob("*/README.md")):
        name = path.parent.name
        text = re.sub(r"\A# .*\n", f"# Role {name}\n", path.read_text(encoding="utf-8"))
        options = f"\n\n## Options\n\nAll of them: [](../reference/{name}_role.rst)\n"
        yield f"roles/{name}.md", with_links(text, path, page_of(path)).rstrip() + options


def verdict_pages() -> Iterator[tuple[str, str]]:
    """docs/verdicts.md: a page for each kind, and one for what explains what."""
    path = ROOT / "docs" / "verdicts.md"
    before, kinds = path.read_text(encoding="utf-8").split("\n## All kinds\n", 1)
    pages = dict(re.findall(r"(?ms)^### `([\w…]+)`\n(.*?)(?=^### |\Z)", kinds))
    for kind, text in pages.items():
        # In no menu: each page has the whole menu, and 200 lines more in each would take minutes.
        above = "A kind of finding, one of [all kinds](../all-kinds.md)."
        yield f"verdicts/kinds/{kind}.md", f"---\norphan: true\n---\n\n# `{kind}`\n\n{above}\n\n{text}"
    # Where other pages of Markdown have an anchor, Sphinx has a target.
    before = re.sub(r'<a id="([\w-]+)"></a>\n', r"(\1)=\n", before)
    linked = re.sub(
        r"`(\w+)`",
        lambda match: f"[`{match[1]}`](kinds/{match[1]}.md)" if match[1] in pages else match[0],
        before.replace("[All kinds](#all-kinds)", "[All kinds](all-kinds.md)"),
    )
    yield "verdicts/index.md", f"{linked}\n\n:::{{toctree}}\n:hidden:\n\nall-kinds\n:::\n"
    rows = "\n".join(f"- [`{kind}`](kinds/{kind}.md): {finders(text)}" for kind, text in pages.items())
    yield "verdicts/all-kinds.md", f"# All kinds\n\n{rows}\n"


def finders(text: str) -> str:
    """Which checks find a kind."""
    found = re.search(r"(?m)^Found by: (.+?)\.$", text)
    return found[1] if found else ""


def reference_pages() -> Iterator[tuple[str, str]]:
    """An index for each kind of plugin, of what antsibull-docs has written."""
    for name, (ending, title, first) in KINDS.items():
        rows, tree = [], []
        for path in sorted((SOURCE / "reference").glob(f"*_{ending}.rst")):
            found = _SHOWN.search(path.read_text(encoding="utf-8"))
            if found is None:
                raise SystemExit(f"{path.name} has no title")
            what = re.sub(r"\\(.)", r"\1", found[3]).replace("|", r"\|")
            options = f" ([options]({path.name}))" if ending == "role" else ""
            page = f"../roles/{found[2]}" if ending == "role" else path.stem
            rows.append(f"| [{found[2]}]({page}.{'md' if options else 'rst'}) | {what}{options} |")
            tree.append(f"{found[2]} <{page}>")
        table = "\n".join([f"| {ending} | what it does |", "| --- | --- |", *rows])
        entries = "\n".join(tree)
        text = f"# {title}\n\n{first}\n\n{table}\n\n:::{{toctree}}\n:hidden:\n\n{entries}\n:::\n"
        yield f"reference/{name}.md", text


# --- building


def set_up() -> bool:
    """Make the environment, unless it is there; False where its Python is not to be had."""
    return matrix.environment_for(PLACE / "venv", PYTHON, REQUIREMENTS)


def surroundings() -> dict[str, str]:
    """Without the configuration of the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    return {
        **kept,
        "PATH": f"{PLACE / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_HOME": str(PLACE / "home"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "LC_ALL": "C.UTF-8",
        "PYENV_VERSION": "",
        "SITE_VERSION": str(galaxy["version"]),
    }


def gather() -> None:
    """Write the sources of all pages."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    (SOURCE / "reference").mkdir(parents=True, mode=0o755)
    options = ("--use-current", "--squash-hierarchy", "--no-indexes", "--fail-on-error")
    program = ("antsibull-docs", "collection", *options, "--dest-dir", str(SOURCE / "reference"), COLLECTION)
    subprocess.run(program, env=surroundings(), check=True)
    # The pages here have indexes of their own, and the theme a table of contents.
    (SOURCE / "reference" / "index.rst").unlink(missing_ok=True)
    for path in (SOURCE / "reference").glob("*.rst"):
        text = _CONTENTS.sub("", path.read_text(encoding="utf-8"))
        path.write_text(_TITLE.sub(r"\1: \3", text, count=1), encoding="utf-8")
    for pages in (own_pages, written_pages, verdict_pages, reference_pages):
        for name, text in pages():
            path = SOURCE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "docs" / "verdicts.svg", SOURCE / "verdicts")
    shutil.copytree(PICTURES, SOURCE / PICTURES.name)
    shutil.copy(SITE / "conf.py", SOURCE)
    shutil.copytree(SITE / "static", SOURCE / "static")


def main() -> int:
    if not set_up():
        sys.stdout.write(f"The site was not built: Python {PYTHON} is not to be had here\n")
        return 0
    gather()
    shutil.rmtree(HTML, ignore_errors=True)
    # All of the pages, so that each warning is told every time.
    sphinx = ("sphinx-build", "--quiet", "--fresh-env", "--fail-on-warning")
    done = subprocess.run([*sphinx, str(SOURCE), str(HTML)], env=surroundings(), check=False)
    if done.returncode:
        sys.stdout.write(f"sphinx-build ended with {done.returncode}: the site was not built\n")
        return 1
    sys.stdout.write(f"The site is {HTML.relative_to(ROOT)}/index.html\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The documentation's site, before Sphinx and antsibull-docs make pages of it: `make docs`."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)")


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_site", ROOT / "docs" / "build_site.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(site: ModuleType) -> dict[str, str]:
    return {**dict(site.own_pages()), **dict(site.written_pages()), **dict(site.verdict_pages())}


def test_every_file_of_the_documentation_is_a_page(pages: dict[str, str]) -> None:
    files = {path.name for path in (ROOT / "docs").glob("*.md")} - {"verdicts.md"}
    roles = {f"roles/{path.parent.name}.md" for path in (ROOT / "roles").glob("*/README.md")}
    assert files | roles | {"index.md", "verdicts/index.md"} <= set(pages)


def test_every_kind_of_finding_is_a_page(pages: dict[str, str]) -> None:
    text = (ROOT / "docs" / "verdicts.md").read_text()
    headings = text[text.index("## All kinds") :].count("\n### ")
    kinds = [name for name in pages if name.startswith("verdicts/kinds/")]
    assert len(kinds) == headings > 100
    assert "one of [all kinds]" in pages["verdicts/kinds/redis_full.md"]
    assert "](kinds/redis_full.md)" in pages["verdicts/all-kinds.md"]


def test_links_lead_to_pages(pages: dict[str, str], site: ModuleType) -> None:
    lost = []
    for name, text in pages.items():
        for target in _LINK.findall(site.outside_fences(text, str)):
            found = os.path.normpath(Path(name).parent / target)
            # Pages of plugins are antsibull-docs' own, and an index of each kind comes with them.
            picture = found == "verdicts/verdicts.svg" or (site.PICTURES / Path(found).name).is_file()
            if found not in pages and not found.startswith("reference/") and not picture:
                lost.append(f"{name}: {target}")
    assert lost == []


def test_links_to_a_kind_of_finding_lead_to_its_page(pages: dict[str, str]) -> None:
    """docs/verdicts.md has them all, the site a page for each."""
    assert "(verdicts/kinds/redis_full.md)" in pages["faults.md"]
    assert "(verdicts/all-kinds.md)" in pages["operations.md"]
    parts = re.findall(r"\(verdicts/index\.md#([\w-]+)\)", "".join(pages.values()))
    assert [part for part in parts if f"({part})=\n" not in pages["verdicts/index.md"]] == []


def test_every_page_is_in_a_menu(pages: dict[str, str]) -> None:
    menus = pages["index.md"] + pages["verdicts/index.md"]
    alone = [
        name
        for name in pages
        if "/kinds/" not in name and not name.startswith("roles/") and name != "index.md"
        if not re.search(rf"(?m)(^|[</]){re.escape(Path(name).stem)}>?$", menus)
        and not re.search(rf"<{re.escape(name.removesuffix('.md'))}>", menus)
    ]
    assert alone == []


def test_a_link_to_what_is_no_page_leads_to_the_repository(site: ModuleType) -> None:
    written = ROOT / "docs" / "ci.md"
    shown = site.with_links("[a](report.schema.json) [b](gateway.md#tls) [c](../README.md)", written, "ci.md")
    address = f"{site.REPOSITORY}/blob/main/docs/report.schema.json"
    assert shown == f"[a]({address}) [b](gateway.md#tls) [c](first-deployment.md)"
    fenced = "```\n[a](nowhere.md)\n```\n"
    assert site.with_links(fenced, written, "ci.md") == fenced
    with pytest.raises(SystemExit, match=r"docs/ci\.md: there is no nowhere\.md"):
        site.with_links("[a](nowhere.md)", written, "ci.md")

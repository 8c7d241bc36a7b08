"""The two hosts, and what is on them before anything is taken over."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from adoption_support import Host, data, variables

NAMES = ("guide", "installer")


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> list[Host]:
    """Each with an inventory of its own: in one, they would be one deployment."""
    directory = tmp_path_factory.mktemp("inventories")
    made = []
    for name in NAMES:
        # JSON is YAML; variables that are templates stay such.
        path = directory / f"{name}.yml"
        path.write_text(json.dumps({"mission_control": {"hosts": {name: variables(name)}}}))
        made.append(Host(name, path))
    return made


@pytest.fixture(scope="session")
def written() -> dict[str, dict[str, str]]:
    return {name: data(name) for name in NAMES}


@pytest.fixture(scope="session")
def tokens(hosts: list[Host]) -> dict[str, str]:
    """The tokens that users had."""
    return {host.name: host.setting("LOCAL_AUTH_TOKEN", f"{host.tree}/backend/.env") for host in hosts}

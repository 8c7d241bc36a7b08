"""A bundle's life, in the order of the tests: made, used, replaced by a second one."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bundle_support import (
    BUILDER,
    CHECKOUT,
    HOST,
    ON_HOST,
    ROOT,
    WORK,
    contents,
    current,
    downloads,
    on_host,
    play,
    registries,
)

testinfra_hosts = [HOST]
# What lies beside a source, and what a download needs: neither is for a bundle.
CANARIES = {name: f"canary{secrets.token_hex(12)}" for name in ("settings", "download")}
RELEASES: dict[str, str] = {}


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("application") / "product"
    shutil.copytree(CHECKOUT / ".cache/reference_application", path, symlinks=True)
    (path / "backend/.env").write_text(f"LOCAL_AUTH_TOKEN={CANARIES['settings']}\n")
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundle") / "mission-control.tar"


@pytest.fixture(scope="module")
def making(application: Path, bundle: Path) -> dict[str, Any]:
    """The settings of the machine with internet."""
    return {
        "bundle_host": BUILDER,
        "bundle_user": "builder",
        "mission_control_bundle": str(bundle),
        "mission_control_source": str(application),
        "mission_control_download_environment": {**downloads(), "CANARY_TOKEN": CANARIES["download"]},
    }


@pytest.fixture(scope="module")
def using(bundle: Path) -> dict[str, Any]:
    """Those of the deployment, whose controller does not have the source."""
    return {"mission_control_bundle": str(bundle), "mission_control_source": "/nowhere/at/all"}


@pytest.fixture(autouse=True)
def no_way_out() -> Iterator[None]:
    """From beginning to end the host has no route but to its neighbours, and no caches of downloads."""
    routes = on_host("ip route; ip -6 route show default")
    assert "default" not in routes and len(routes.splitlines()) == 1, routes
    assert on_host("ls /var/cache/mission-control 2>&1 || true").endswith("No such file or directory")
    yield


def test_making(making: dict[str, Any], bundle: Path) -> None:
    done = play("bundle.yml", making)
    assert "MB, sha256:" in done.words and f"mission_control_bundle: {bundle}" in done.words
    sidecar = Path(f"{bundle}.sha256").read_text()
    assert sidecar == f"{sidecar[:64]}  {bundle.name}\n"
    # Debian packages are only downloaded: the machine itself has no PostgreSQL.
    assert on_host("dpkg-query -W -f '${db:Status-Status}' postgresql 2>/dev/null || true", BUILDER) == ""


def test_made_again_without_a_change(making: dict[str, Any], bundle: Path) -> None:
    before = bundle.stat()
    done = play("bundle.yml", making)
    assert done.changed == 0, done.output
    assert (bundle.stat().st_ino, bundle.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_it_holds_no_secret(bundle: Path) -> None:
    token = (CHECKOUT / ".cache/secrets/token").read_text().strip()
    needles = {**{name: text.encode() for name, text in CANARIES.items()}, "token": token.encode()}
    files = found = 0
    for name, content in contents(bundle):
        files += 1
        found += b"NEXT_PUBLIC_API_URL" in content
        assert [secret for secret, needle in needles.items() if needle in content] == [], name
        # npm packages bring what they please.
        assert not name.startswith(("source-", "frontend-")) or not name.endswith(".env"), name
    # The search looked into the parts, and into what it should find.
    assert files > 10_000 and found > 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mission_control_api_url": "http://elsewhere:8000"}, "NEXT_PUBLIC_API_URL is http://"),
        ({"mission_control_gateway_version": "2026.4.1"}, "holds OpenClaw 2026.4.2"),
        ({"mission_control_bundle": "/nowhere.tar"}, "/nowhere.tar — does not exist on the controller"),
    ],
)
def test_what_does_not_fit_is_refused_first(using: dict[str, Any], change: dict[str, str], told: str) -> None:
    done = play("deploy.yml", using | change, good=False)
    assert "put right first; nothing was changed" in done.words and told in done.words
    assert done.changed == 0
    assert on_host(f"ls -d {ON_HOST} /home/* 2>/dev/null || true") == ""


def test_a_bare_host_is_deployed_from_it(using: dict[str, Any]) -> None:
    predicted = play("deploy.yml", using, "--check")
    assert on_host(f"ls -d {ON_HOST} 2>/dev/null || true") == "" and predicted.changed > 0
    done = play("deploy.yml", using)
    assert done.changed > 0
    RELEASES["first"] = current()
    told = on_host(f"cat {ROOT}/current/release.json")
    assert '"state": "verified"' in told and f'"node": "{_frontend_node()}"' in told
    # The product's own commands find nothing of the bundle's settings in their way.
    assert on_host("apt-config dump Dir::Etc::sourceparts") == 'Dir::Etc::sourceparts "sources.list.d";'


def _frontend_node() -> str:
    return on_host(f"readlink -f {ROOT}/current/frontend/.node").rpartition("/node-")[2]


def test_its_users_can_use_it() -> None:
    # A gateway that was started a moment ago answers its first questions late.
    play("verify.yml", {"verify_deadline": 180, "verify_timeout": 60})
    assert "2026.4.2" in on_host("runuser -l openclaw -c 'openclaw-gateway/bin/openclaw --version'")


def test_no_registry_answers_the_host_and_all_answer_the_other() -> None:
    assert registries(HOST, ROOT) == []
    assert registries(BUILDER, f"{WORK}/root") == ["debian", "python", "npm"]


def test_a_second_deployment_changes_and_sends_nothing(using: dict[str, Any]) -> None:
    done = play("deploy.yml", using)
    assert done.changed == 0, done.output
    assert "Have the bundle on the host" not in done.output


def test_upgrade_by_a_second_bundle(
    making: dict[str, Any], using: dict[str, Any], application: Path, bundle: Path
) -> None:
    with (application / "backend/app/main.py").open("a") as file:
        file.write("UPGRADED = True\n")
    before = bundle.stat().st_size
    play("bundle.yml", making)
    inodes = (
        "cd " + ON_HOST + "/parts && stat -c '%n %i' packages.tar wheels.tar backend-* frontend-* openclaw-*"
    )
    parts = on_host(inodes)
    done = play("deploy.yml", using)
    # Only the source was sent: the other parts are the very files that were there.
    assert on_host(inodes) == parts and before > 100_000_000
    RELEASES["second"] = current()
    assert done.changed > 0 and RELEASES["second"] != RELEASES["first"]
    assert "UPGRADED" in on_host(f"tail -n 1 {ROOT}/current/backend/app/main.py")
    assert on_host(f"ls {ON_HOST}/parts/source-* | wc -l") == "1"
    assert play("deploy.yml", using).changed == 0


def test_rollback_needs_no_bundle(using: dict[str, Any]) -> None:
    done = play("rollback.yml", {"mission_control_bundle": "/nowhere.tar"})
    assert current() == RELEASES["first"], done.output
    assert play("deploy.yml", using).changed > 0 and current() == RELEASES["second"]


def test_uninstallation_takes_the_bundle_along(using: dict[str, Any]) -> None:
    play("uninstall.yml", using)
    assert on_host(f"ls -d {ON_HOST} 2>/dev/null || true") == ""

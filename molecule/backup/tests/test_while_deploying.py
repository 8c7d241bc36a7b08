"""Backups and a deployment at the same time: both end well, and what was saved fits together.

The last of the scenario: the schema is a newer one afterwards.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from backup_support import KEPT, REPOSITORY, kinds, points, tried, verdict
from releases_support import (
    HEAD,
    NEWER,
    ROOT,
    Applications,
    current,
    healthy,
    on_host,
    sql,
    ssh_command,
    start,
    until,
)

testinfra_hosts = ["backup"]
RESTIC = f"RESTIC_REPOSITORY={REPOSITORY} RESTIC_PASSWORD_FILE={KEPT}/password restic"
MIGRATES = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mission-control-migration'"
# More than fits into a pipe, so that the dump waits for whoever reads it.
BULK = "CREATE TABLE made_up AS SELECT repeat(g::text, 50) AS words FROM generate_series(1, 50000) g"


def manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        on_host(f"{RESTIC} dump --tag point:{name},part:manifest latest /manifest.json")
    )
    return found


def begun() -> subprocess.Popen[str]:
    """A backup by hand, in the background."""
    words = [*ssh_command(), "mission-control backup"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_both_end_well_and_what_was_saved_fits_together(tmp_path: Path) -> None:
    sql(f"SET ROLE mission_control; {BULK}")
    before = {point["name"] for point in points()}
    old = current()
    # The dump is in the middle, and stays there, while the deployment comes to its migration.
    first = begun()
    on_host(
        "until pid=$(pgrep -f '[r]estic.*--stdin-filename=database'); do sleep 0.01; done; kill -STOP $pid"
    )
    deployment = start("deploy.yml", source=Applications(tmp_path).get("migrated"))
    until(lambda: deployment.poll() is not None or sql(MIGRATES) != "0")
    assert deployment.poll() is None and sql("select version_num from alembic_version") == HEAD
    second = begun()
    on_host("pkill -CONT -f '[r]estic.*--stdin-filename=database'")
    told = [process.communicate()[0] for process in (deployment, first, second)]
    codes = [process.returncode for process in (deployment, first, second)]
    assert codes == [0, 0, 0], told
    assert healthy() and current() != old and sql("select version_num from alembic_version") == NEWER
    schemas = {old: [HEAD], current(): [NEWER]}
    made = [point for point in points() if point["name"] not in before]
    assert len(made) == 2 and all(point["complete"] for point in made)
    found = [manifest(point["name"]) for point in made]
    for one in found:
        assert one["parts"]["database"]["schema"] == schemas[one["release"]]
        listed = on_host(
            f"{RESTIC} dump --tag point:{one['name']},part:settings latest /settings.tar | tar -t"
        )
        assert f"root/releases/{one['release']}/backend/.env" in listed.splitlines()
    # The newest is of the release that serves, and can be restored.
    assert found[0]["release"] == current()
    drilled = tried("mission-control backup --drill")
    assert drilled.returncode == 0 and found[0]["name"] in drilled.stdout, drilled.stderr
    # The rows above were written in bulk.
    assert (
        kinds(verdict()) <= {"backup_growth"} and on_host(f"ls {ROOT}/shared/maintenance.json || true") == ""
    )

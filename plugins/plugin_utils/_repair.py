# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the playbook repair.yml works out between its calls to the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def sentence(answer: Mapping[str, Any], *, predicted: bool) -> str:
    """What `mission-control repair` did or would do, and what is left."""
    lines = []
    for step in answer.get("steps", []):
        how = "would" if predicted else "did"
        line = f"{how}: {step['action']}, for {step['check']} ({step['kind']})"
        lines.append(f"{line}. It did not work: {step['problem']}" if step["problem"] else line)
    done = {step["check"] for step in answer.get("steps", [])} if predicted else set()
    for root in answer.get("left", []):
        if root["check"] not in done:
            lines.append(f"left: {root['check']}: {root['summary']} {root['remedy']}")
    return "\n  ".join(lines) if lines else "nothing to repair"


def deploys(reports: Iterable[Any]) -> bool:
    """Whether a root cause in one of the reports is cured by deploying, and that is safe."""
    return any(
        root["cure"]["action"] == "deploy"
        for report in reports
        if isinstance(report, Mapping)
        for root in report.get("root_causes", [])
    )


def revision(releases: Mapping[str, Any], deployed: Iterable[Any]) -> str:
    """The revision that serves, where it came from Git; empty where the source is of another kind.

    Raises ValueError where a release says that it is of one that was never deployed on its host.

    releases: what the module release_info returned.
    deployed: the revisions that root has deployed there, of the module deployment_info.
    """
    known = set(map(str, deployed))
    for release in releases.get("releases", []):
        git = (release.get("source") or {}).get("kind") == "git"
        # What was deployed from Git does not become something else by saying so.
        if release.get("current") and (git or known):
            found = str(release.get("revision") or "")
            if found not in known:
                raise ValueError(
                    f"The current release says that it is of revision {found or 'nothing'}, which was not "
                    "deployed on this host. Its record may have been changed, so it is not deployed again. "
                    "Deploy what you want there: deploy.yml with mission_control_revision."
                )
            return found
    return ""

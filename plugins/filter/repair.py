# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the playbook repair.yml works out between its calls to the hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _repair


def _dictionary(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnsibleFilterError(f"{name} expects a dictionary")
    return value


def repair_sentence(answer: Any, predicted: bool = False) -> str:
    """What a host has done about its faults, and what is left."""
    return str(_repair.sentence(_dictionary(answer, "repair_sentence"), predicted=bool(predicted)))


def repair_deploys(reports: Any) -> bool:
    """Whether deploying cures what some reports tell."""
    if isinstance(reports, str) or not hasattr(reports, "__iter__"):
        raise AnsibleFilterError("repair_deploys expects a list of reports")
    return bool(_repair.deploys(reports))


def repair_revision(releases: Any, deployed: Any) -> str:
    """The revision that serves, if it is one of those that were deployed on the host."""
    if not isinstance(deployed, list):
        raise AnsibleFilterError("repair_revision needs the list `revisions` of deployment_info.")
    try:
        return str(_repair.revision(_dictionary(releases, "repair_revision"), deployed))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "repair_sentence": repair_sentence,
            "repair_deploys": repair_deploys,
            "repair_revision": repair_revision,
        }

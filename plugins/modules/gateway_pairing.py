#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_pairing
short_description: Pair Mission Control's device with an OpenClaw gateway
version_added: "1.0.0"
description:
  - A gateway lets a client from another host in only after its device was approved. This module does both
    halves, each on its own host, so that no private key leaves the backend and no token is needed on a
    command line.
  - With O(state=requested), on the backend's host, it connects to the gateway exactly as the backend does.
    That tells whether the two can talk, and an unknown device becomes a request that waits on the gateway for
    five minutes. A gateway approves a device that connects over the loopback interface by itself.
  - With O(state=approved), on the gateway's host, it approves the waiting request of exactly this device, and
    nothing else. The id of a device is the digest of its public key, so another key cannot take its place.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  state:
    description:
      - What is wanted. V(absent) takes the approval back.
    type: str
    choices: [requested, approved, absent]
    default: approved
  url:
    description:
      - Address of the gateway as the backend reaches it. Required with O(state=requested).
    type: str
  token:
    description:
      - The gateway's token. Required with O(state=requested).
    type: str
  identity:
    description:
      - The backend's device identity, a file of O(user). Required with O(state=requested).
    type: path
  protocol_min:
    description:
      - Lowest protocol that the backend speaks.
    type: int
    default: 3
  protocol_max:
    description:
      - Highest protocol that the backend speaks.
    type: int
    default: 3
  validate_certs:
    description:
      - Whether the certificate of a C(wss://) gateway is checked.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates (PEM) of the authorities that may have signed the certificate of a
        C(wss://) gateway. Without it those of the system are trusted.
    type: path
  device_id:
    description:
      - Id of the device. Required with O(state=approved) and O(state=absent).
    type: str
  user:
    description:
      - The gateway's user. Required with O(state=approved) and O(state=absent).
      - With O(state=requested) the backend's user, with whose rights O(identity) is read; without it, those
        of whoever this task runs as, and then the file should lie where nobody else can put a link.
    type: str
  root:
    description:
      - Directory of the gateway's programs. A leading C(~) is the home of O(user).
    type: str
    default: ~/openclaw-gateway
  state_directory:
    description:
      - The gateway's own directory.
    type: str
    default: ~/.openclaw
  platform:
    description:
      - Platform that the backend names when it connects. The gateway pins it with the pairing.
      - Without it, the operating system of the host with O(state=requested), and any with O(state=approved).
    type: str
    default: ''
  scopes:
    description:
      - Scopes that may be approved. A request for more is refused.
    type: list
    elements: str
    default: [operator.read, operator.admin, operator.approvals, operator.pairing]
  deadline:
    description:
      - Seconds during which a gateway that is starting is tried again.
    type: float
    default: 60
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would be done without changing anything.
    support: partial
    details: With O(state=requested) connecting is the request itself, so check mode does not connect.
  diff_mode:
    description: Returns which device is approved.
    support: full
  platform:
    description: Target systems.
    support: full
    platforms: posix
requirements:
  - The command openssl on the backend's host.
"""

EXAMPLES = r"""
- name: Ask for pairing, on the backend's host
  openclaw.mission_control.gateway_pairing:
    state: requested
    url: ws://gateway.example.com:18789
    token: "{{ vault_gateway_token }}"
    identity: /home/mission-control/mission-control/shared/identity/device.json
    user: mission-control
  become: true
  register: pairing

- name: Approve exactly this device, on the gateway's host
  openclaw.mission_control.gateway_pairing:
    state: approved
    device_id: "{{ pairing.device_id }}"
    user: mission-control
  become: true
  delegate_to: gateway.example.com
  when: not pairing.connected
"""

RETURN = r"""
connected:
  description: Whether the device was let in.
  returned: with O(state=requested)
  type: bool
device_id:
  description: Id of the device.
  returned: always
  type: str
request_id:
  description: Id of the waiting request, empty where there is none.
  returned: always
  type: str
gateway_version:
  description: The version that the gateway names.
  returned: with O(state=requested), when connected
  type: str
protocol:
  description: The protocol that was agreed upon.
  returned: with O(state=requested), when connected
  type: int
kind:
  description: Why there is no connection, for example V(unauthorized), V(protocol_mismatch), V(unreachable).
  returned: on failure
  type: str
remedy:
  description: What to do about the failure.
  returned: on failure
  type: str
"""

import json
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._gateway.client import BACKEND_SCOPES, GatewayClient
from ..module_utils._gateway.errors import GatewayError
from ..module_utils._gateway.identity import Identity, device_id_of, parse_identity
from ..module_utils._gateway.plan import Layout, Request, paired_devices
from ..module_utils._gateway.protocol import DEFAULT_VERSION
from ..module_utils._host.accounts import Account, acting_as, expand_home, find_account
from ..module_utils._host.commands import run
from ..module_utils._host.errors import HostError
from ..module_utils._host.user_files import read_user_file

TRANSIENT = ("starting", "unreachable", "closed")


def connect(options: dict[str, Any], identity: Identity) -> dict[str, Any]:
    """Connect as the backend does; pairing required is an answer, not a failure."""
    until = time.monotonic() + options["deadline"]
    pause = 0.5
    while True:
        client = GatewayClient(
            options["url"],
            token=options["token"],
            identity=identity,
            protocols=(options["protocol_min"], options["protocol_max"]),
            scopes=options["scopes"],
            platform=options["platform"],
            verify=options["validate_certs"],
            ca_path=options["ca_path"] or "",
        )
        try:
            with client:
                return {
                    "connected": True,
                    "request_id": "",
                    "gateway_version": client.version,
                    "protocol": client.protocol,
                }
        except GatewayError as error:
            if error.kind == "pairing_required":
                return {"connected": False, "request_id": error.request_id}
            if error.kind not in TRANSIENT or time.monotonic() + pause > until:
                raise
        time.sleep(pause)
        pause = min(pause * 1.5, 5.0)


def identity_of(user: str | None, path: str) -> Identity:
    """The user could put a link there: it is read with that user's rights."""
    text = read_user_file(user or find_account().name, path)
    if text is None:
        raise GatewayError("identity", f"There is no device identity at {path}.")
    return parse_identity(text, path)


def requested(module: AnsibleModule) -> dict[str, Any]:
    options = module.params
    identity = identity_of(options["user"], options["identity"])
    if module.check_mode:
        return {"changed": False, "connected": False, "device_id": identity.device_id, "request_id": ""}
    answer = connect(options, identity)
    return {"changed": not answer["connected"], "device_id": identity.device_id, **answer}


class Gateway:
    """The gateway's own command line, on its own host."""

    def __init__(self, account: Account, layout: Layout) -> None:
        self._account = account
        self._layout = layout

    def paired(self, platform: str = "") -> dict[str, list[str]]:
        with acting_as(self._account):
            return paired_devices(self._layout, platform)

    def _command(self, *arguments: str) -> Any:
        done = run([str(self._layout.command), *arguments, "--json"], account=self._account, timeout=90)
        if not done.ok:
            raise HostError(
                f"openclaw {' '.join(arguments[:2])} failed: {done.complaint[:500]}",
                kind="command",
                remedy=(
                    "See that the gateway runs (systemctl --user status openclaw-gateway) and look at "
                    "its journal."
                ),
            )
        # A notice may precede the document.
        start = done.stdout.find("{")
        try:
            return json.loads(done.stdout[start:]) if start >= 0 else {}
        except ValueError:
            raise HostError(
                f"openclaw {' '.join(arguments[:2])} answered with something that is no JSON.", kind="command"
            ) from None

    def request_of(self, device_id: str, scopes: list[str]) -> str:
        """The waiting request of the device, after a look at what it asks for."""
        answer = self._command("devices", "list")
        pending = [
            item
            for item in answer.get("pending") or []
            if item.get("deviceId") == device_id
            and device_id_of(str(item.get("publicKey") or "")) == device_id
        ]
        if not pending:
            raise HostError(
                f"No request of the device {device_id} waits on this gateway.",
                kind="no_request",
                remedy=(
                    "Let the backend connect first (state: requested, on its host); a request waits five "
                    "minutes."
                ),
            )
        request = max(pending, key=lambda item: item.get("ts") or 0)
        roles = set(request.get("roles") or []) | {request.get("role") or "operator"}
        surplus = set(request.get("scopes") or []) - set(scopes)
        if roles != {"operator"} or surplus:
            wanted = ", ".join(sorted((roles - {"operator"}) | surplus))
            raise HostError(
                f"The device {device_id} asks for more than may be approved: {wanted}.",
                kind="scopes",
                remedy=(
                    "Look at the request (openclaw devices list). If it is right, name the scopes in scopes."
                ),
            )
        return str(request["requestId"])

    def approve(self, request_id: str) -> None:
        self._command("devices", "approve", request_id)

    def remove(self, device_id: str) -> None:
        self._command("devices", "remove", device_id)


def on_gateway(module: AnsibleModule) -> dict[str, Any]:
    options = module.params
    account = find_account(options["user"])
    layout = Layout(
        Request(
            account=account,
            root=Path(expand_home(options["root"], account)),
            state_directory=Path(expand_home(options["state_directory"], account)),
            version=DEFAULT_VERSION,
            node_version="",
        )
    )
    gateway = Gateway(account, layout)
    device_id, scopes = options["device_id"].strip().lower(), options["scopes"]
    wanted = options["state"] == "approved"
    granted = gateway.paired(options["platform"] if wanted else "").get(device_id)
    approved = granted is not None and set(scopes) <= set(granted)
    result: dict[str, Any] = {"device_id": device_id, "request_id": "", "changed": False}
    if approved == wanted and not (not wanted and granted is not None):
        return result
    result["changed"] = True
    if module._diff:
        states = {True: f"{device_id}: approved\n", False: f"{device_id}: not approved\n"}
        result["diff"] = {"before": states[granted is not None and approved], "after": states[wanted]}
    if module.check_mode:
        return result
    if wanted:
        result["request_id"] = gateway.request_of(device_id, scopes)
        gateway.approve(result["request_id"])
        if not set(scopes) <= set(gateway.paired(options["platform"]).get(device_id, ())):
            raise HostError(
                f"The gateway said yes, but the device {device_id} is not among its paired devices.",
                kind="command",
                remedy="Look at openclaw devices list and at the gateway's journal.",
            )
    else:
        gateway.remove(device_id)
    return result


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["requested", "approved", "absent"], "default": "approved"},
            "url": {"type": "str"},
            "token": {"type": "str", "no_log": True},
            "identity": {"type": "path"},
            "protocol_min": {"type": "int", "default": 3},
            "protocol_max": {"type": "int", "default": 3},
            "validate_certs": {"type": "bool", "default": True},
            "ca_path": {"type": "path"},
            "device_id": {"type": "str"},
            "user": {"type": "str"},
            "root": {"type": "str", "default": "~/openclaw-gateway"},
            "state_directory": {"type": "str", "default": "~/.openclaw"},
            "platform": {"type": "str", "default": ""},
            "scopes": {"type": "list", "elements": "str", "default": list(BACKEND_SCOPES)},
            "deadline": {"type": "float", "default": 60.0},
        },
        required_if=[
            ("state", "requested", ("url", "token", "identity")),
            ("state", "approved", ("device_id", "user")),
            ("state", "absent", ("device_id", "user")),
        ],
        supports_check_mode=True,
    )
    try:
        result = requested(module) if module.params["state"] == "requested" else on_gateway(module)
    except (GatewayError, HostError) as error:
        module.fail_json(
            msg=error.message,
            kind=error.kind,
            remedy=error.remedy,
            device_id=module.params["device_id"] or "",
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()

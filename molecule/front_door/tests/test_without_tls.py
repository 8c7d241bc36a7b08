"""The end of the door: what listens without one."""

from __future__ import annotations

import http.client

from front_door_support import CERTIFICATE, CONFIGURATION, UNIT, address, deploy, ssh, url


def test_without_tls_the_door_is_removed_and_everything_listens_as_before() -> None:
    deploy(
        mission_control_public_url=url().replace("https:", "http:") + ":3000",
        # What needs the door is refused without one, and plain HTTP has to be asked for.
        mission_control_gateway_public_url="",
        mission_control_insecure_http=True,
    )
    left = ssh(f"ls /etc/systemd/system/{UNIT}.service {CONFIGURATION} {CERTIFICATE}.key", check=False)
    assert left == ""
    assert ssh(f"systemctl is-active {UNIT}", check=False) == "inactive"
    plain = http.client.HTTPConnection(address(), 8000, timeout=10)
    plain.request("GET", "/healthz")
    assert plain.getresponse().read() == b'{"ok":true}'
    plain.close()

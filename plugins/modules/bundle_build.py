#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_build
short_description: Make one archive of all that a deployment downloads
version_added: "1.0.0"
description:
  - Downloads and builds on a machine that reaches the registries, with the same steps that a deployment takes
    on a host, and brings the archive to the controller. M(openclaw.mission_control.bundle) brings it to
    hosts.
  - The machine has to be like the hosts, the same release of the distribution, architecture and Python.
    Debian packages are only downloaded there, with lists apart from those of the system.
  - The bundle holds source, packages and builds, and no settings but the C(NEXT_PUBLIC_) variables that the
    frontend is built with. It refuses to hold a secret of O(download_environment).
  - What was made the last time and still fits is used again.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  path:
    description:
      - The file on the controller. When it is empty or a directory, the bundle gets a name of its own there.
    type: str
    default: ""
  work:
    description:
      - Directory on the machine for the work. Kept, it makes the next bundle sooner.
    type: path
    required: true
  user:
    description:
      - The ordinary user that does the work, because builds run programs of many packages.
    type: str
    required: true
  packages:
    description: Names of the Debian packages that the hosts need. What these depend on comes along.
    type: list
    elements: str
    required: true
  revision:
    description:
      - The source, as the module M(openclaw.mission_control.source) brought it below C(root) of O(work).
        Without it the bundle serves hosts without the application.
    type: str
    default: ""
  asked_revision:
    description: The revision as the inventory names it, for a comparison before a deployment.
    type: str
    default: ""
  backend:
    description: Whether a host runs backend or worker.
    type: bool
    default: false
  python:
    description: The Python of the backend. Empty means the distribution's newest.
    type: str
    default: ""
  uv_version:
    description: Version of uv.
    type: str
    default: 0.13.9
  frontends:
    description: The frontends to build, one for each set of variables.
    type: list
    elements: dict
    default: []
    suboptions:
      environment:
        description: The C(NEXT_PUBLIC_) variables.
        type: dict
        required: true
      fonts:
        description: As in M(openclaw.mission_control.release).
        type: str
        choices: [local, download]
        default: local
      node_version:
        description: Version of Node.js.
        type: str
        required: true
  fonts_program:
    description: The program that names the fonts which need no download.
    type: str
    default: ""
  gateways:
    description: The versions of OpenClaw to bring along.
    type: list
    elements: dict
    default: []
    suboptions:
      version:
        description: Version of OpenClaw.
        type: str
        required: true
      node_version:
        description: Version of its Node.js.
        type: str
        required: true
      plugins:
        description: Bundled plugins whose dependencies are installed too.
        type: list
        elements: str
        default: []
  download_environment:
    description: Environment of downloads and builds, such as proxies and caches.
    type: dict
    default: {}
  made_by:
    description: Who makes it, for its manifest.
    type: str
    default: ""
attributes:
  action:
    description: Its second half runs on the controller, which gets the bundle.
    support: full
  check_mode:
    description: Can run in C(check_mode) and return what would be changed.
    support: none
  diff_mode:
    description: Returns details of what would change.
    support: none
  platform:
    description: Target systems.
    support: full
    platforms: debian
seealso:
  - module: openclaw.mission_control.bundle
  - module: openclaw.mission_control.source
"""

EXAMPLES = r"""
- name: Make a bundle
  openclaw.mission_control.bundle_build:
    path: /media/mission-control.tar
    work: /home/builder/.cache/mission-control-bundle
    user: builder
    packages: [git, python3-venv, postgresql, redis-server]
    revision: "{{ tree.revision }}"
    backend: true
    frontends:
      - environment:
          NEXT_PUBLIC_API_URL: http://mission-control.example.com:8000
          NEXT_PUBLIC_AUTH_MODE: local
        node_version: 24.19.0
"""

RETURN = r"""
path:
  description: The bundle on the controller.
  type: str
  returned: success
size:
  description: Its size in bytes.
  type: int
  returned: success
sha256:
  description: Its SHA-256, which also stands beside it in a file of the same name with C(.sha256).
  type: str
  returned: success
manifest:
  description: What the bundle says of itself.
  type: dict
  returned: success
timings:
  description: Seconds by step.
  type: dict
  returned: success
log:
  description: The file on the machine with the output of all commands.
  type: str
  returned: success
output:
  description: The last lines of a command that failed.
  type: list
  elements: str
  returned: failure
"""

from ..module_utils._ansible_module import run_as_user
from ..module_utils._bundle_build.from_options import make
from ..module_utils._discreet import DiscreetModule


def main() -> None:
    text = {"type": "str", "default": ""}
    module = DiscreetModule(
        argument_spec={
            "path": text,
            "work": {"type": "path", "required": True},
            "user": {"type": "str", "required": True},
            "packages": {"type": "list", "elements": "str", "required": True},
            "revision": text,
            "asked_revision": text,
            "backend": {"type": "bool", "default": False},
            "python": text,
            "uv_version": {"type": "str", "default": "0.13.9"},
            "frontends": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "environment": {"type": "dict", "required": True},
                    "fonts": {"type": "str", "choices": ["local", "download"], "default": "local"},
                    "node_version": {"type": "str", "required": True},
                },
            },
            "fonts_program": text,
            "gateways": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "version": {"type": "str", "required": True},
                    "node_version": {"type": "str", "required": True},
                    "plugins": {"type": "list", "elements": "str", "default": []},
                },
            },
            "download_environment": {"type": "dict", "default": {}},
            "made_by": text,
        },
        supports_check_mode=False,
    )
    run_as_user(module, lambda account: make(module.params, account))


if __name__ == "__main__":
    main()

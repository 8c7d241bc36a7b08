#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: source
short_description: Bring the source of a Mission Control release to a host
version_added: "1.0.0"
description:
  - Has the source of the application below C(shared/source) of its root, named by content. A source that is
    there is never brought again.
  - A Git repository is fetched by the host. An archive is downloaded by the host (URL) or uploaded (path on
    the
    controller). A directory on the controller is packed and uploaded in one transfer.
  - A source without C(backend/uv.lock) or C(frontend/package-lock.json) is refused before anything is
    changed.
options:
  source:
    description:
      - The URL of a Git repository, the URL or the controller's path of an archive (C(.tar.gz), C(.tgz),
        C(.tar.xz),
        C(.zip)), or a directory on the controller.
      - A URL may hold a login, C(https://user:token@host/path), percent-encoded. It is shown nowhere, and Git
        gets it by a credential helper instead of in its command line.
      - Of a directory, everything is taken but version control, environments, caches, build results and
        C(.env)
        files.
    type: str
    required: true
  revision:
    description: Branch, tag or commit of a Git repository. A full commit hash needs no network when it is
      there.
    type: str
    default: ""
  checksum:
    description: C(sha256:) and the archive's digest. Required for an archive by URL.
    type: str
    default: ""
  environment:
    description: Environment of downloads, such as proxies.
    type: dict
    default: {}
  kind:
    description: Set by the action plugin.
    type: str
    choices: [git, url, archive, directory]
  archive:
    description: Set by the action plugin.
    type: path
  described:
    description: Set by the action plugin.
    type: str
    default: ""
  tree:
    description: Set by the action plugin.
    type: str
    default: ""
  bundle:
    description:
      - A bundle, a file on the controller. The source is then taken out of it, from where
        M(openclaw.mission_control.bundle) put it on the host, and O(source) and O(revision) do not count.
    type: str
    default: ""
  bundle_directory:
    description: Where the bundle lies on the host.
    type: path
    default: /var/lib/mission-control-bundle
attributes:
  check_mode:
    description: Can run in check mode and says whether the source would be brought.
    support: full
  diff_mode:
    description: Will return details on what has changed.
    support: none
extends_documentation_fragment:
  - openclaw.mission_control.application
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Bring a pinned revision of the product
  openclaw.mission_control.source:
    source: https://github.com/abhi1693/openclaw-mission-control.git
    revision: 75eb8b0894803e48891a8a92b564c25fb126f2ea
    root: /home/mission-control/mission-control

- name: Bring a working copy from the controller
  openclaw.mission_control.source:
    source: ~/src/openclaw-mission-control
    root: /home/mission-control/mission-control
  register: tree
"""

RETURN = r"""
revision:
  description: Commit, or SHA-256 of the archive or of the directory's content.
  type: str
  returned: success
described:
  description: What a person calls it, such as a tag, a file name or the answer of C(git describe).
  type: str
  returned: success
path:
  description: Where the tree is on the host; empty in check mode when it is not there yet.
  type: str
  returned: success
trees:
  description: Digest of each part of the tree.
  type: dict
  returned: when the source is there
gateway:
  description: What the backend can do with gateways, if its source says so.
  type: dict
  returned: success
  contains:
    protocols:
      description: The lowest and the highest protocol that it offers.
      type: list
      elements: int
    version_from_greeting:
      description:
        - Whether it learns a gateway's version when it connects. Revisions before 2026-02-22 look for it
          elsewhere and refuse to register gateways that do not tell it there.
      type: bool
files:
  description: SHA-256 of the lock files.
  type: dict
  returned: when the source is there
"""

import contextlib
import signal
from functools import partial
from pathlib import Path

from ..module_utils._ansible_module import finish, run_as_user
from ..module_utils._application import module_options
from ..module_utils._discreet import DiscreetModule
from ..module_utils._release import bringing, private_git, source


def main() -> None:
    module = DiscreetModule(
        argument_spec={
            **module_options.APPLICATION,
            "source": {"type": "str", "required": True},
            "revision": {"type": "str", "default": ""},
            "checksum": {"type": "str", "default": ""},
            "environment": {"type": "dict", "default": {}},
            "kind": {"type": "str", "choices": ["git", "url", "archive", "directory"]},
            "archive": {"type": "path"},
            "described": {"type": "str", "default": ""},
            "tree": {"type": "str", "default": ""},
            "bundle": {"type": "str", "default": ""},
            "bundle_directory": {"type": "path", "default": "/var/lib/mission-control-bundle"},
        },
        supports_check_mode=True,
    )
    parameters = module.params
    root = Path(parameters["root"])
    request = source.Request(
        kind=parameters["kind"] or "git",
        source=parameters["source"],
        revision=parameters["revision"],
        checksum=parameters["checksum"],
        described=parameters["described"],
        tree=parameters["tree"],
        check_mode=module.check_mode,
        environment={name: str(value) for name, value in parameters["environment"].items()},
    )

    if private_git.needed(request, parameters["user"]):
        # Neither the login nor a proxy's password gets into a process of the application's user.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        finish(
            module,
            lambda: private_git.bring(request, partial(bringing.bring_as_user, parameters["user"], root)),
        )
    with contextlib.ExitStack() as stack:
        # That of a bundle is needed only where the source is not yet.
        if parameters["archive"] and Path(parameters["archive"]).exists():
            # Opened here: the upload lies where the application's user must not look.
            request.archive = stack.enter_context(Path(parameters["archive"]).open("rb"))
        # In check mode the user would have been created before, so nothing of his can be there.
        without_user = source.predicted(request) if module.check_mode else None
        keep = [] if request.archive is None else [request.archive.fileno()]
        run_as_user(module, partial(bringing.bring, root, request), without_user=without_user, keep=keep)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed checks, once or over HTTP."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path
from typing import Any

from .._host import files
from .._host.accounts import find_account
from .._host.written_addresses import in_url
from .._verify import standalone as runner
from .common import CommandError, Configuration, become, permitted, show
from .server import Cache, bind


def verify_settings(configuration: Configuration, wait: float | None = None) -> dict[str, Any]:
    """What the installed checks shall look at."""
    common = {
        **(configuration.verify.get("options") or {}),
        "user": configuration.user,
        "root": configuration.root,
    }
    if wait:
        common["deadline"] = wait
    return {**configuration.verify, "options": common}


def command_verify(configuration: Configuration, options: argparse.Namespace) -> int:
    """The installed checks."""
    permitted(find_account(configuration.user))
    name = socket.gethostname()
    try:
        report = runner.run(verify_settings(configuration, options.wait), options.checks, where=name)
    except runner.BadConfigurationError as error:
        raise CommandError(str(error)) from None
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = runner.show(report, options.format, name=name, colour=colour, verbose=options.verbose)
    if options.output:
        write_private(Path(options.output), text)
    else:
        show(text, cleaned=True)
    return runner.exit_status(report)


def command_serve(configuration: Configuration, options: argparse.Namespace) -> int:
    """The same over HTTP, for monitoring; as the application's user, whoever called it."""
    become(find_account(configuration.user))
    settings, name = verify_settings(configuration), socket.gethostname()
    try:
        runner.chosen(settings, options.checks)
    except runner.BadConfigurationError as error:
        raise CommandError(str(error)) from None
    cache = Cache(lambda: runner.run(settings, options.checks, where=name), options.cache)
    try:
        server = bind(options.listen, cache, name, options.name or ())
    except OSError as error:
        raise CommandError(
            f"--listen {options.listen[0]}:{options.listen[1]}: {error.strerror}. "
            "Name an address of this host and a free port."
        ) from None
    with server:
        host, port = server.server_address[:2]
        place = f"http://{in_url(str(host))}:{port}"
        show(f"Serving the verdict at {place}/ and {place}/metrics")
        server.serve_forever()
    return 0


def write_private(path: Path, text: str) -> None:
    """Replace a file at once; its readers see the old or the new one."""
    try:
        files.write_atomically(path, text, 0o600)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None

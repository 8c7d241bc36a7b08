# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers that run beside their unit: started by hand, or left over from an earlier release.

They take work from the same queue, with their own code and settings, and nothing restarts or stops them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from .._application.components import service_unit
from .._cures import end
from .._host.proc_files import PROC, all_pids, link_of, owner_of, unit_of_process, words_of
from .._release.places import release_of
from .context import Context
from .verdict import FAIL, Verdict

# How the product's worker is called: scripts/rq worker.
_PROGRAM, _COMMAND = "rq", "worker"


def is_worker(words: Sequence[str]) -> bool:
    """Whether a command line is that of the product's worker."""
    return any(
        Path(word).name == _PROGRAM and following == _COMMAND for word, following in itertools.pairwise(words)
    )


def stray_workers(uid: int, root: Path, unit: str, proc: Path = PROC) -> dict[int, str]:
    """By process number, the releases in which workers of a user work that are not its unit's.

    :param uid: of the user.
    :param root: of the application.
    :param unit: the service whose workers belong there.
    """
    found = {}
    for pid in all_pids(proc):
        if owner_of(pid, proc) != uid:
            continue
        release = release_of(link_of(proc / str(pid) / "cwd"), str(root))
        if release and is_worker(words_of(pid, proc)) and unit_of_process(pid, proc) != unit:
            found[pid] = release
    return found


def judge_strays(context: Context) -> list[Verdict]:
    """A finding where a worker of the application's user runs beside its unit; else nothing."""
    unit = service_unit("worker")
    strays = stray_workers(context.host.account.uid, context.host.root, unit)
    if not strays:
        return []
    first, release = next(iter(strays.items()))
    more = f" and {len(strays) - 1} more" if len(strays) > 1 else ""
    return [
        Verdict(
            "strays",
            FAIL,
            f"a worker beside {unit}: process {first} from release {release}{more}",
            cause="It was started by hand, or outlived its release: it takes work with the code and the"
            " settings of where it was started, and no deployment stops or restarts it.",
            remedy=f"As root: kill {' '.join(str(pid) for pid in strays)}",
            kind="stray_worker",
            cure=end(strays),
            evidence={"workers": {str(pid): place for pid, place in strays.items()}},
        )
    ]

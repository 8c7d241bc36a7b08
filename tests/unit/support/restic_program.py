"""A stand-in for restic: a directory of files, with as much of its behaviour as tests lean on."""

from __future__ import annotations

from pathlib import Path

PROGRAM = """#!/usr/bin/python3
import json, os, pathlib, sys, time
place = pathlib.Path(os.environ["RESTIC_REPOSITORY"])
words = [w for w in sys.argv[1:] if not w.startswith("--retry-lock")]
(place.parent / "called").open("a").write(" ".join(sys.argv[1:]) + chr(10))
password = pathlib.Path(os.environ["RESTIC_PASSWORD_FILE"]).read_text().strip()
command, rest = words[0], words[1:]
option = {w.split("=", 1)[0]: w.split("=", 1)[1] for w in rest if "=" in w}
tags = [w.split("=", 1)[1] for w in rest if w.startswith("--tag=")]
def end(code, text):
    sys.stderr.write(text + chr(10)); sys.exit(code)
if command == "init":
    place.mkdir(); (place / "config").write_text(password); sys.exit(0)
if not (place / "config").exists():
    end(10, "Fatal: repository does not exist: unable to open config file")
if (place / "config").read_text() != password:
    end(12, "Fatal: wrong password or no key found")
if (place / "fail").exists():
    code, text = (place / "fail").read_text().split(" ", 1)
    end(int(code), text)
if command == "cat":
    print(json.dumps({"version": 2, "id": "a" * 64}))
elif command == "backup":
    data = sys.stdin.buffer.read()
    number = len(list(place.glob("*.json")))
    name = f"{number:04x}" + "b" * 60
    (place / f"{name}.data").write_bytes(data)
    (place / f"{name}.json").write_text(json.dumps({
        "id": name, "short_id": name[:8], "time": option["--time"].replace(" ", "T") + ".000000000Z",
        "hostname": option["--host"], "tags": tags, "paths": ["/" + option["--stdin-filename"]],
        "summary": {"total_bytes_processed": len(data)}}))
    print(json.dumps({"message_type": "summary", "snapshot_id": name}))
elif command == "snapshots":
    wanted = set(tags[0].split(","))
    found = [json.loads(p.read_text()) for p in sorted(place.glob("*.json"))]
    print(json.dumps([s for s in found
        if option.get("--host", s["hostname"]) == s["hostname"] and wanted <= set(s["tags"])]))
elif command == "dump":
    sys.stdout.buffer.write((place / f"{rest[0]}.data").read_bytes())
elif command == "forget":
    for name in rest:
        for path in place.glob(f"{name}.*") if not name.startswith("-") else ():
            path.unlink()
"""


def install(directory: Path) -> Path:
    """The program in a directory that goes into PATH."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "restic"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    return path

#!/usr/bin/env python3
"""The archive, read by a program that is not ours (ocfl-py) and by eye: two versions, one file changed.

Needs the store itself, so it starts its own server.
"""

import json
import pathlib
import shutil
import subprocess
import sys

from kho import Server, hold, metadata, say, sha256, skip

BIG = b"the same in both versions\n" * 1000


def validate(root):
    program = shutil.which("ocfl-validate.py", path=str(pathlib.Path(sys.executable).parent)) or shutil.which("ocfl-validate.py")
    if not program:
        skip("ocfl-py is not installed (tests/outside/requirements.txt)")
    done = subprocess.run([sys.executable, program, str(root)], capture_output=True, text=True)
    said = (done.stdout + done.stderr).strip()
    hold(done.returncode == 0 and "INVALID" not in said, f"ocfl-py says: {said[-600:]}")
    return said.splitlines()[-1] if said else "no words"


def main():
    with Server() as kho:
        first = kho.create(metadata("Hai phiên bản"))["id"]
        kho.upload(first, "dữ liệu/big.txt", BIG)
        kho.upload(first, "small.txt", b"one\n")
        kho.publish(first)
        draft = kho.want(201, "POST", f"/api/records/{first}/versions").json()
        second = draft["id"]
        kho.want(201, "POST", f"/api/records/{second}/draft/actions/files-import")
        kho.want(204, "DELETE", f"/api/records/{second}/draft/files/small.txt")
        kho.upload(second, "small.txt", b"two\n")
        body = {"access": draft["access"], "files": {"enabled": True}, "metadata": metadata("Hai phiên bản", version="2")}
        kho.want(200, "PUT", f"/api/records/{second}/draft", body)
        kho.publish(second)

        root = kho.archive()
        say(f"ocfl-py: {validate(root)}")
        objects = [p.parent for p in root.rglob("0=ocfl_object_1.1")]
        hold(len(objects) == 1, f"{len(objects)} objects for one concept record")
        inventory = json.loads((objects[0] / "inventory.json").read_text())
        hold(inventory["head"] == "v2", f"the head is {inventory['head']}")
        algorithm = inventory["digestAlgorithm"]
        hold(algorithm in ("sha256", "sha512"), f"digest {algorithm}")
        paths = [p for ps in inventory["manifest"].values() for p in ps]
        big = [p for p in paths if (objects[0] / p).read_bytes() == BIG]
        hold(len(big) == 1 and big[0].startswith("v1/"), f"the unchanged file is stored at {big}")
        for version in ("v1", "v2"):
            names = [p for ps in inventory["versions"][version]["state"].values() for p in ps]
            hold(any(n.endswith("dữ liệu/big.txt") for n in names), f"{version} lost the file's own name: {names}")
            records = [p for p in names if p.endswith(".json")]
            hold(records, f"{version} has no metadata as JSON: {names}")
        hold(any("Hai phiên bản" in (objects[0] / p).read_text() for p in paths if p.endswith(".json")), "the title is in no JSON")
        say(f"one object, two versions, {len(paths)} stored files; the unchanged one once ({sha256(BIG)[:12]}…)")


if __name__ == "__main__":
    main()

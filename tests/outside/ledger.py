#!/usr/bin/env python3
"""The ledger, read as a stranger would: RFC 9162, C2SP tlog-tiles and signed notes written again from their texts.

Publishes, corrects and withdraws; computes the root from entries and from tiles, verifies the signature with a library
that is not ours, walks a receipt's proofs; lets a second program be a witness; then changes things and wants a refusal.
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import tempfile

from kho import Server, hold, metadata, say, skip, until

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    skip("cryptography is not installed (tests/outside/requirements.txt)")


def h(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(leaf):
    return h(b"\0", leaf)


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(hashes):
    """The root over hashes of leaves (RFC 9162, 2.1.1)."""
    if not hashes:
        return h()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return h(b"\1", mth(hashes[:k]), mth(hashes[k:]))


def walk(leaf, m, n, path):
    """Where an inclusion proof leads (2.1.3.1, backwards)."""
    if n == 1:
        hold(not path, "an inclusion proof is too long")
        return leaf
    hold(path, "an inclusion proof is too short")
    k = split(n)
    if m < k:
        return h(b"\1", walk(leaf, m, k, path[:-1]), path[-1])
    return h(b"\1", path[-1], walk(leaf, m - k, n - k, path[:-1]))


def subproof(m, hashes, whole):
    """SUBPROOF (2.1.4.1): what a consistency proof must be."""
    if m == len(hashes):
        return [] if whole else [mth(hashes)]
    k = split(len(hashes))
    if m <= k:
        return subproof(m, hashes[:k], whole) + [mth(hashes[k:])]
    return subproof(m - k, hashes[k:], False) + [mth(hashes[:k])]


class Key:
    """A verifier key: name+id+base64(type || public key)."""

    def __init__(self, vkey):
        self.name, ident, key = vkey.split("+", 2)
        raw = base64.b64decode(key)
        self.kind, self.public = raw[0], raw[1:]
        self.id = h(self.name.encode(), b"\n", raw)[:4]
        hold(ident == self.id.hex(), f"the id of the key {vkey} is not that of its name and key")

    def signed(self, note):
        """True, or False when this key's line is not there; ends the script when it is there and wrong."""
        text, lines = note.rsplit("\n\n", 1)
        text += "\n"
        for line in lines.splitlines():
            dash, name, signature = line.split(" ")
            hold(dash == "\u2014", f"a signature line begins with {dash!r}")
            raw = base64.b64decode(signature)
            if name != self.name or raw[:4] != self.id:
                continue
            message, signature = text, raw[4:]
            if self.kind == 4:
                seconds = int.from_bytes(signature[:8], "big")
                message, signature = f"cosignature/v1\ntime {seconds}\n{text}", signature[8:]
            try:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message.encode())
            except InvalidSignature:
                hold(False, f"the signature of {name} is wrong")
            return True
        return False


def tile_path(level, n, width):
    parts = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        parts.insert(0, f"x{n % 1000:03}")
    return f"/ledger/tile/{level}/{'/'.join(parts)}" + (f".p/{width}" if width < 256 else "")


def widths(count):
    return [(n, min(256, count - n * 256)) for n in range((count + 255) // 256)]


def entries(kho, size):
    found = []
    for n, width in widths(size):
        rest = kho.want(200, "GET", tile_path("entries", n, width), token=None).body
        while rest:
            length = int.from_bytes(rest[:2], "big")
            found.append(rest[2 : 2 + length])
            rest = rest[2 + length :]
    hold(len(found) == size, f"{len(found)} entries in a tree of {size}")
    return found


def tile(kho, level, n, width):
    body = kho.want(200, "GET", tile_path(level, n, width), token=None).body
    hold(len(body) == 32 * width, f"a tile of {width} has {len(body)} bytes")
    return [body[i : i + 32] for i in range(0, len(body), 32)]


def root_from_tiles(kho, size):
    """The root from the tiles alone: the right edge of every level."""
    peaks, count, level = [], size, 0
    while count:
        width = count % 256
        if width:
            hashes, at, own = tile(kho, level, count // 256, width), 0, []
            for bit in range(7, -1, -1):
                if width >> bit & 1:
                    own.append(mth(hashes[at : at + (1 << bit)]))
                    at += 1 << bit
            peaks = own + peaks
        count, level = count // 256, level + 1
    root = peaks.pop() if peaks else h()
    while peaks:
        root = h(b"\1", peaks.pop(), root)
    return root


def checkpoint(kho, key):
    note = kho.want(200, "GET", "/ledger/checkpoint", token=None).text()
    hold(key.signed(note), "the checkpoint is not signed by the log's key")
    origin, size, root = note.split("\n")[:3]
    hold(origin == key.name, f"the checkpoint is of {origin}, the key of {key.name}")
    return int(size), base64.b64decode(root), note


def grown(kho, size):
    """Waits until the log has signed so many entries."""

    def look():
        answer = kho.call("GET", "/ledger/checkpoint", token=None)
        return answer.status == 200 and int(answer.text().split("\n")[1]) >= size

    hold(until(look, 30), f"the log did not sign {size} entries within 30 seconds")


def receipt_holds(kho, record, key, events):
    receipt = kho.want(200, "GET", f"/api/records/{record}/ledger", token=None).json()
    hold(key.signed(receipt["checkpoint"]), "the receipt's checkpoint is not signed")
    _, size, root = receipt["checkpoint"].split("\n")[:3]
    seen = []
    for proven in receipt["entries"]:
        path = [base64.b64decode(p) for p in proven["proof"]]
        led = walk(leaf_hash(proven["entry"].encode()), proven["index"], int(size), path)
        hold(led == base64.b64decode(root), f"the proof of entry {proven['index']} leads elsewhere")
        entry = json.loads(proven["entry"])
        canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        hold(canonical == proven["entry"], f"not canonical: {proven['entry']}")
        hold(entry["record"] == record, f"entry {proven['index']} is of {entry['record']}")
        seen.append(entry["event"])
    hold(seen == events, f"the events are {seen}, not {events}")
    return receipt, json.loads(receipt["entries"][-1]["entry"])


def command(kho, *words):
    done = subprocess.run([kho.binary, *words], env=kho.env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def main():
    with Server() as kho:
        name = "library.example.org/witness"
        home = pathlib.Path(tempfile.mkdtemp(dir=kho.folder))
        witness = ["ledger", "witness", "--key", str(home / "witness.pem"), "--name", name]
        vkey = kho.run(*witness, "--show")
        port = kho.url.rsplit(":", 1)[1]
        kho.stop()
        kho.env |= {"KHO_LEDGER_WITNESSES": vkey, "KHO_LISTEN": f"127.0.0.1:{port}"}
        kho.start()
        admin = kho.account("admin@example.org", "admin")

        first = kho.create(metadata("Trong sổ"))["id"]
        kho.upload(first, "b/dữ liệu.csv", b"1,2\n")
        kho.upload(first, "a.csv", b"x\n")
        kho.publish(first)
        grown(kho, 1)
        key = Key(kho.want(200, "GET", "/api/ledger/witnesses", token=None).json()["vkey"])
        kho.run(*witness, kho.url)
        size, root, note = checkpoint(kho, key)
        hold(Key(vkey).signed(note), "the witness's cosignature is not in the checkpoint")
        say(f"a witness cosigned a tree of {size}")

        draft = kho.want(201, "POST", f"/api/records/{first}/draft").json()
        body = {"access": draft["access"], "files": {"enabled": True}, "metadata": metadata("Trong sổ, sửa")}
        kho.want(200, "PUT", f"/api/records/{first}/draft", body)
        kho.publish(first)
        others = []
        for n in range(5):
            others.append(kho.create(metadata(f"Bộ {n}"), files={"enabled": False})["id"])
            kho.publish(others[-1])
        reason = {"removal_reason": {"id": "retracted"}}
        kho.want(204, "DELETE", f"/api/records/{others[0]}/delete", reason, token=admin)
        grown(kho, 8)

        now, top, _ = checkpoint(kho, key)
        leaves = entries(kho, now)
        hashes = [leaf_hash(leaf) for leaf in leaves]
        hold(mth(hashes) == top, "the entries do not lead to the root")
        hold(mth(hashes[:size]) == root, "the earlier root is not that of the first entries")
        hold(root_from_tiles(kho, now) == top, "the tiles do not lead to the root")
        hold(b"example.org" not in b"".join(leaves), "an address of a person is in the log")
        told = kho.want(200, "GET", f"/api/ledger/consistency?from={size}&to={now}", token=None).json()
        hold([base64.b64decode(p) for p in told["proof"]] == subproof(size, hashes, True), "another consistency proof")
        say(f"{now} entries, tiles and consistency computed again")

        receipt, entry = receipt_holds(kho, first, key, ["publish", "revise"])
        receipt_holds(kho, others[0], key, ["publish", "withdraw"])
        listed = "".join(
            f"{hashlib.sha256(data).hexdigest()}  {name}\n"
            for name, data in [("a.csv", b"x\n"), ("b/dữ liệu.csv", b"1,2\n")]
        )
        hold(hashlib.sha256(listed.encode()).hexdigest() == entry["files_sha256"], "the list of files is another")
        hold(hashlib.sha256(receipt["metadata"].encode()).hexdigest() == entry["metadata_sha256"], "another description")
        digest = entry["inventory_sha256"]
        inventory = [
            p
            for p in kho.archive().rglob(f"v{entry['archive_version']}/inventory.json")
            if hashlib.sha256(p.read_bytes()).hexdigest() == digest
        ]
        hold(len(inventory) == 1, "the inventory that was entered is not in the archive")

        file = home / "receipt.json"
        file.write_text(json.dumps(receipt))
        files = home / "files"
        (files / "b").mkdir(parents=True)
        (files / "a.csv").write_bytes(b"x\n")
        (files / "b/dữ liệu.csv").write_bytes(b"1,2\n")
        good = ["verify", "--receipt", str(file), "--files", str(files)]
        code, said = command(kho, *good)
        hold(code == 0, f"kho verify --receipt: {said}")
        object_folder = str(inventory[0].parent.parent)
        code, said = command(kho, "verify", "--receipt", str(file), "--files", object_folder)
        hold(code == 0, f"kho verify --receipt on the archive object: {said}")
        (files / "a.csv").write_bytes(b"y\n")
        hold(command(kho, *good)[0] == 1, "a changed file was taken")
        (files / "a.csv").write_bytes(b"x\n")
        for old, new in [("publish", "restore"), ("\n8\n", "\n9\n"), (first, others[1])]:
            text = json.dumps(receipt)
            changed = text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])
            hold(changed != text, f"{old!r} is not in the receipt")
            file.write_text(changed)
            hold(command(kho, *good)[0] == 1, f"a receipt with {new!r} for {old!r} was taken")
        say("receipts hold by our own reading and by kho verify; changed ones do not")

        kho.run(*witness, kho.url)
        hold(Key(vkey).signed(checkpoint(kho, key)[2]), "the witness did not cosign the grown tree")
        seen = home / "witness.pem.seen.json"
        memory = json.loads(seen.read_text())
        for place in memory.values():
            place["root"] = "00" * 32
        seen.write_text(json.dumps(memory))
        code, said = command(kho, *witness, kho.url)
        hold(code == 1 and "CHANGED" in said, f"a witness cosigned what does not continue what it saw: {said}")

        before = checkpoint(kho, key)[:2]
        kho.kill()
        kho.start()
        grown(kho, now)
        hold(checkpoint(kho, key)[:2] == before, "the log is another after a crash")
        kho.run("ledger", "check")
        path = inventory[0]
        path.chmod(0o644)
        path.write_bytes(path.read_bytes().replace(b"Correct the description", b"Publish the description"))
        code, said = command(kho, "ledger", "check")
        hold(code == 1 and first in said, f"a changed inventory was not named: {said}")
        say("a changed inventory is found and named")


if __name__ == "__main__":
    main()

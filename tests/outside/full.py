#!/usr/bin/env python3
"""A full disk, a damaged archive, a folder that cannot be written.

The data folder is a small tmpfs, so the script has to be root and to be allowed to mount; else it says so and ends
with 77. What it looks for while the disk is full:

  uploads   507 for what does not fit, whole, by tus or in parts; its space is given back; everything else goes on
  publish   202, or 507/503 with the draft as it was and nothing half-published, whatever is left of the disk
  writes    507, or 503 with Retry-After, never 500; reads go on; what was acknowledged is there afterwards
  after     when space returns service goes on without a restart: the same publish succeeds, the index catches up,
            and `kho verify` finds nothing

Then files of the archive are cut, changed, removed and swapped: `kho verify` names each, and no download of one ends
as if all were well. Last, a data folder that cannot be written ends `kho serve` with a sentence.
"""

import atexit
import base64
import http.client
import os
import random
import shutil
import subprocess
import time
import urllib.parse

from archive import validate
from kho import Answer, Server, hold, metadata, say, sha256, skip, until

KIB, MIB = 1 << 10, 1 << 20
ROOM = 128 * MIB
# What is left of the disk when a publish is tried: each lets it come a little further before it fails.
LEFT = [0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024]
REFUSED = (503, 507)


class Small(Server):
    """A server whose data folder is a disk of its own, and small."""

    def _prepare(self):
        self.data.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "kho-full", str(self.data)]
        try:
            done = subprocess.run(words, capture_output=True, text=True)
        except FileNotFoundError:
            skip("there is no mount")
        if done.returncode != 0:
            shutil.rmtree(self.folder)
            skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        atexit.register(self._leave)
        self.filler = self.data / "filler"

    def _leave(self):
        # Lazily: a process that a failed check left behind may still have a file open.
        subprocess.run(["umount", "-l", str(self.data)], capture_output=True)

    def __exit__(self, *why):
        self.stop()
        self._leave()
        super().__exit__(*why)

    def free(self):
        disk = os.statvfs(self.data)
        return disk.f_bavail * disk.f_frsize

    def leave(self, room):
        """Fills the disk until only so many bytes are left."""
        with self.filler.open("ab", buffering=0) as filler:
            while (over := self.free() - room) > 0:
                try:
                    if not filler.write(bytes(min(over, MIB))):
                        break
                except OSError:
                    break

    def relieve(self):
        self.filler.unlink(missing_ok=True)

    def judge(self, *words):
        """A command that may fail: its status and all it said."""
        done = subprocess.run([self.binary, *words], env=self.env, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def clean(self):
        status, told = self.judge("verify")
        hold(status == 0, f"kho verify is not content: {status}: {told.strip()[-800:]}")


def refused(answer, what):
    """Not taken, and said so in a way that a client can act on."""
    hold(answer.status in REFUSED, f"{what}: {answer.status} instead of 507 or 503: {answer.text()[:300]}")
    hold(answer.status == 507 or "retry-after" in answer.headers, f"{what}: 503 without Retry-After")
    hold(answer.json().get("message"), f"{what}: refused without a word")


def send(kho, method, path, body, length=True, **headers):
    """A large body that may be refused on the way: the answer counts, wherever the sending stopped."""
    at = urllib.parse.urlsplit(kho.url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=60)
    connection.putrequest(method, path)
    connection.putheader("Authorization", f"Bearer {kho.token}")
    headers.setdefault("Content_Type", "application/octet-stream")
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.putheader(*(("Content-Length", str(len(body))) if length else ("Transfer-Encoding", "chunked")))
    connection.endheaders()
    try:
        for begin in range(0, len(body), 64 * KIB):
            piece = body[begin : begin + 64 * KIB]
            connection.send(piece if length else b"%x\r\n%s\r\n" % (len(piece), piece))
        if not length:
            connection.send(b"0\r\n\r\n")
    except OSError:
        pass
    try:
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())
    except (OSError, http.client.HTTPException) as error:
        hold(False, f"{method} {path}: no answer was to be had: {error!r}")
    finally:
        connection.close()


def patient(work, seconds=90):
    """As clients do that are told to come back."""
    end = time.monotonic() + seconds
    while (answer := work()).status in (409, 423) and "retry-after" in answer.headers and time.monotonic() < end:
        time.sleep(1)
    return answer


def at_of(record, key):
    return f"/api/records/{record}/draft/files/{urllib.parse.quote(key, safe='')}"


def alive(kho, record):
    """What needs no room is answered."""
    kho.want(200, "GET", f"/api/records/{record}/draft")
    kho.want(200, "GET", "/api/records?q=d%E1%BB%AF", token=None)
    kho.want(200, "GET", "/", token=None)
    kho.want(200, "GET", "/oai2d?verb=Identify", token=None)
    kho.want(200, "GET", "/readyz", token=None)


def uploads(kho, chance):
    record = kho.create(metadata("Tải lên khi đĩa đầy"))["id"]
    kho.upload(record, "trước.bin", content := chance.randbytes(MIB))
    files = f"/api/records/{record}/draft/files"
    kho.want(201, "POST", files, [{"key": "lớn.bin"}])
    large = chance.randbytes(16 * MIB)
    for length in (True, False):
        kho.leave(4 * MIB)
        before = kho.free()
        answer = send(kho, "PUT", f"{at_of(record, 'lớn.bin')}/content", large, length)
        hold(answer.status == 507, f"16 MiB into 4 MiB: {answer.status} {answer.text()[:200]}")
        alive(kho, record)
        back = until(lambda: kho.free() >= before - 512 * KIB)
        hold(back, f"of {before} bytes {kho.free()} are left after a refused upload")
    entry = kho.want(200, "GET", at_of(record, "lớn.bin")).json()
    hold(entry["status"] == "pending", f"a file that was refused is {entry['status']}")
    # What fits is taken meanwhile.
    kho.upload(record, "nhỏ.bin", b"nh\xe1\xbb\x8f")
    say("an upload that does not fit is answered 507, gives its space back, and hinders nobody")

    said = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in {"record": record, "key": "tus.bin"}.items())
    tus = {"Tus_Resumable": "1.0.0", "Content_Type": "application/offset+octet-stream"}
    begun = kho.want(201, "POST", "/api/uploads", tus_resumable="1.0.0", upload_length=str(len(large)), upload_metadata=said)
    path = urllib.parse.urlsplit(begun.headers["Location"]).path
    first = send(kho, "PATCH", path, large[:MIB], Upload_Offset="0", **tus)
    hold(first.status == 204, f"tus: the first MiB: {first.status} {first.text()[:200]}")
    full = send(kho, "PATCH", path, large[MIB:], Upload_Offset=str(MIB), **tus)
    hold(full.status == 507, f"tus: 15 MiB into less: {full.status} {full.text()[:200]}")
    alive(kho, record)
    kho.relieve()
    offset = int(kho.want(200, "HEAD", path, tus_resumable="1.0.0").headers["Upload-Offset"])
    hold(offset >= MIB, f"tus: 1 MiB was acknowledged, {offset} bytes are left of it")
    # The lease of the request that failed could not be given back on a full disk, and ends by itself.
    rest = patient(lambda: send(kho, "PATCH", path, large[offset:], Upload_Offset=str(offset), **tus))
    hold(rest.status == 204, f"tus: the rest, with room again: {rest.status} {rest.text()[:200]}")
    hold(kho.want(200, "GET", at_of(record, "tus.bin")).json()["sha256"] == sha256(large), "tus: other bytes arrived")

    size = 4 * MIB
    plan = {"key": "phần.bin", "size": len(large), "transfer": {"type": "M", "parts": 4, "part_size": size}}
    kho.want(201, "POST", files, [plan])
    part = lambda n: send(kho, "PUT", f"{at_of(record, 'phần.bin')}/content/{n}", large[(n - 1) * size : n * size])
    kho.leave(6 * MIB)
    seen = {n: part(n).status for n in (2, 1, 4)}
    hold(seen[2] == 200, f"a part that fits: {seen}")
    hold(507 in seen.values() and set(seen.values()) <= {200, 507}, f"parts into a full disk: {seen}")
    kho.relieve()
    arrived = {p["part"] for p in kho.want(200, "GET", at_of(record, "phần.bin")).json()["received_parts"]}
    hold(arrived == {n for n, status in seen.items() if status == 200}, f"parts said to be there: {arrived}, answered: {seen}")
    for n in {1, 2, 3, 4} - arrived:
        hold(patient(lambda n=n: part(n)).status == 200, f"part {n}, with room again")
    done = patient(lambda: kho.call("POST", f"{at_of(record, 'phần.bin')}/commit"))
    hold(done.status == 200, f"parts: put together: {done.status} {done.text()[:200]}")
    done = done.json()
    hold(done["sha256"] == sha256(large), "parts: other bytes arrived")
    say("a resumed upload goes on where it was acknowledged, once there is room")

    kho.upload(record, "lớn.bin", b"l")
    kho.publish(record)
    got = kho.content(record, "trước.bin")
    hold(got.body == content, "a file that was there before the disk was full has changed")
    return record


def visible(kho, record):
    found = kho.want(200, "GET", "/api/records?allversions=true&sort=newest&size=100", token=None).json()
    return record in {hit["id"] for hit in found["hits"]["hits"]}


def publishes(kho, chance):
    """A publish at each level of what is left: wherever it fails, it has not happened."""
    seen = {}
    published = []
    for left in LEFT:
        title = f"Công bố khi còn {left} KiB"
        record = kho.create(metadata(title))["id"]
        files = {f"dữ liệu/{n}.bin": chance.randbytes(chance.choice([1, 700, 70_000])) for n in range(5)}
        for key, content in files.items():
            kho.upload(record, key, content)
        kho.leave(left * KIB)
        answer = kho.call("POST", f"/api/records/{record}/draft/actions/publish")
        seen[left] = answer.status
        if answer.status != 202:
            refused(answer, f"publish with {left} KiB left")
            kho.want(404, "GET", f"/api/records/{record}", token=None)
            hold(not visible(kho, record), f"{record} was refused, and is found")
            draft = kho.want(200, "GET", f"/api/records/{record}/draft").json()
            hold(draft["metadata"]["title"] == title, f"the draft has another title: {draft['metadata']['title']}")
            for key, content in files.items():
                got = kho.want(200, "GET", f"{at_of(record, key)}/content")
                hold(got.body == content, f"{record}/{key}: the draft's file has changed")
            alive(kho, record)
            kho.relieve()
            # Neither a restart nor a pause: the same request, again.
            again = kho.call("POST", f"/api/records/{record}/draft/actions/publish")
            hold(again.status == 202 and again.json()["id"] == record, f"publish with {left} KiB left, and then with room again: {again.status} {again.text()[:300]}")
        else:
            # While its index job meets a full disk.
            kho.want(200, "GET", f"/api/records/{record}", token=None)
            time.sleep(0.3)
            alive_published(kho, record)
            kho.relieve()
        published.append((record, files))
    for record, files in published:
        for key, content in files.items():
            hold(kho.content(record, key).body == content, f"{record}/{key} has other bytes")
    hold(any(s in REFUSED for s in seen.values()) and 202 in seen.values(), f"the disk was never full, or always: {seen}")
    say(f"publishing with so many KiB left: {', '.join(f'{left}: {status}' for left, status in seen.items())}")
    missing = until(lambda: all(visible(kho, record) for record, _ in published), 60)
    hold(missing, "the index did not catch up: " + ", ".join(r for r, _ in published if not visible(kho, r)))
    say("each was published by asking again, and is found")


def alive_published(kho, record):
    kho.want(200, "GET", f"/records/{record}", token=None)
    kho.want(200, "GET", "/api/records?q=d%E1%BB%AF", token=None)


def writes(kho, chance):
    """Until nothing more can be written, and beyond."""
    drafts = [kho.create(metadata(f"Ghi {n}"))["id"] for n in range(3)]
    titles = {record: f"Ghi {n}" for n, record in enumerate(drafts)}
    taken, turned = 0, 0
    for n in range(2_000):
        # The database writes again where it wrote before: what it takes more is taken from it.
        if n % 8 == 0:
            kho.leave(64 * KIB)
        record = drafts[n % len(drafts)]
        title = f"Ghi lần {n}"
        body = {"files": {"enabled": True}, "metadata": metadata(title, description=chance.randbytes(8_000).hex())}
        answer = kho.call("PUT", f"/api/records/{record}/draft", body)
        if answer.status == 200:
            titles[record] = title
            taken += 1
            continue
        refused(answer, "saving a draft")
        turned += 1
        if turned == 20:
            break
    hold(turned, f"{taken} drafts were saved on a full disk, and none refused")
    kho.leave(0)
    for method, path, body in (
        ("POST", "/api/records", {"metadata": metadata("Mới")}),
        ("POST", f"/api/records/{drafts[0]}/draft/files", [{"key": f"{n}.bin"} for n in range(500)]),
    ):
        answer = kho.call(method, path, body)
        if answer.status != 201:
            refused(answer, f"{method} {path}")
    for record in drafts:
        alive(kho, record)
        seen = kho.want(200, "GET", f"/api/records/{record}/draft").json()["metadata"]["title"]
        hold(seen == titles[record], f"acknowledged: {titles[record]!r}, there: {seen!r}")
    # As after a loss of power: what was acknowledged does not depend on the process.
    kho.relieve()
    kho.want(200, "PUT", f"/api/records/{drafts[0]}/draft", {"files": {"enabled": True}, "metadata": metadata("Còn chỗ")})
    titles[drafts[0]] = "Còn chỗ"
    kho.kill()
    kho.start()
    for record in drafts:
        seen = kho.want(200, "GET", f"/api/records/{record}/draft").json()["metadata"]["title"]
        hold(seen == titles[record], f"acknowledged: {titles[record]!r}, after a restart: {seen!r}")
    say(f"of {taken + turned} writes {taken} were taken and are there, {turned} refused with 507 or 503; reads went on")


def stored(kho, content):
    """The file of the archive that holds these bytes."""
    for path in kho.archive().rglob("*"):
        if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
            return path
    hold(False, "a published file is not in the archive")


def object_of(path):
    return next(p for p in path.parents if (p / "0=ocfl_object_1.1").exists())


def damage(kho, chance):
    names = ["cut", "changed", "missing", "swapped one", "swapped two", "object one", "object two"]
    records, contents = {}, {}
    for name in names:
        record = kho.create(metadata(f"Hỏng: {name}"))["id"]
        contents[name] = chance.randbytes(300_000)
        kho.upload(record, f"{name}.bin", contents[name])
        kho.publish(record)
        records[name] = record
    kho.clean()
    paths = {name: stored(kho, content) for name, content in contents.items()}
    for path in paths.values():
        path.chmod(0o644)
    with paths["cut"].open("r+b") as file:
        file.truncate(200_000)
    with paths["changed"].open("r+b") as file:
        file.seek(150_000)
        byte = file.read(1)[0]
        file.seek(150_000)
        file.write(bytes([byte ^ 1]))
    paths["missing"].unlink()
    paths["swapped one"].write_bytes(contents["swapped two"])
    paths["swapped two"].write_bytes(contents["swapped one"])
    one, two = object_of(paths["object one"]), object_of(paths["object two"])
    aside = kho.data / "aside"
    one.rename(aside)
    two.rename(one)
    aside.rename(two)

    status, told = kho.judge("verify")
    hold(status == 1, f"kho verify of a damaged archive: exit {status}")
    for name in names:
        lines = [line for line in told.splitlines() if f"record {records[name]} " in line]
        hold(lines, f"kho verify does not name the record of {name!r} ({records[name]}):\n{told}")
        say(f"{name}: {lines[0][:140]}")
    hold("panic" not in told, f"kho verify panicked: {told[-500:]}")

    cut = ending(kho, records["cut"], "cut.bin")
    hold(cut != "whole", "a file that lost its end was sent as if it were whole")
    gone = ending(kho, records["missing"], "missing.bin")
    hold(gone not in ("whole", 200), "a file that is missing was sent as if it were there")
    kho.want(200, "GET", f"/records/{records['missing']}", token=None)
    alive_published(kho, records["cut"])
    say(f"a file without its end: {cut}; a missing one: {gone}")


def ending(kho, record, key):
    try:
        got = kho.content(record, key, token=None)
        return "whole" if got.status == 200 else got.status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def read_only(kho):
    kho.stop()
    done = subprocess.run(["mount", "-o", "remount,ro", str(kho.data)], capture_output=True, text=True)
    if done.returncode != 0:
        say(f"left out: the disk cannot be made read-only: {done.stderr.strip()}")
        return
    done = subprocess.run([kho.binary, "serve"], env=kho.env, capture_output=True, text=True, timeout=30)
    told = done.stdout + done.stderr
    hold(done.returncode not in (0, 101) and "panicked" not in told, f"serve on a read-only folder: exit {done.returncode}: {told[-500:]}")
    last = told.strip().splitlines()[-1]
    hold(str(kho.data) in last and "read-only" in last.lower(), f"serve on a read-only folder says: {told.strip()[-500:]}")
    say(f"a folder that cannot be written: {last.replace(str(kho.data), '…')}")
    subprocess.run(["mount", "-o", "remount,rw", str(kho.data)], check=True)
    kho.start()
    kho.want(200, "GET", "/api/records", token=None)


def main():
    seed = random.SystemRandom().getrandbits(32)
    say(f"seed {seed}")
    chance = random.Random(seed)
    if os.environ.get("KHO_TEST_DATABASE", "sqlite") != "sqlite":
        skip("the disk of a PostgreSQL is not ours to fill")
    with Small() as kho:
        uploads(kho, chance)
        publishes(kho, chance)
        writes(kho, chance)
        kho.clean()
        say(f"kho verify finds nothing; ocfl-py: {validate(kho.archive())}")
        damage(kho, chance)
        read_only(kho)


if __name__ == "__main__":
    main()

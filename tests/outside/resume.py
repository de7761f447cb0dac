#!/usr/bin/env python3
"""Uploads that go on after `kill -9` of the server, by clients that are not ours.

    resume.py [--seed S]

  tus      tuspy (PyPI) in chunks, the server killed several times in between; what was acknowledged is there
  long     one PATCH of 160 MiB, killed in the middle: no more than 64 MiB of it have to be sent again
  parts    the multipart transfer as S3 clients do it: four threads, any order, parts sent again where the answer
           was lost; killed while the parts are put together
  range    PUT with Content-Range, asking how far it is after each kill

Each file is published in the end and compared byte for byte.
"""

import argparse
import concurrent.futures
import hashlib
import http.client
import io
import random
import threading
import time
import urllib.parse

from kho import Server, hold, metadata, say, sha256, skip

try:
    from tusclient.client import TusClient
    from tusclient.exceptions import TusCommunicationError
except ImportError:
    skip("tuspy is not installed")

import requests

MIB = 1 << 20
BROKEN = (OSError, http.client.HTTPException, requests.RequestException)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    seed = options.parse_args().seed
    say(f"seed {seed}")
    chance = random.Random(seed)
    with Server() as kho:
        # Clients keep addresses: the server has to come back where it was.
        kho.env["KHO_LISTEN"] = urllib.parse.urlsplit(kho.url).netloc
        for name in (tus, long, parts, ranges):
            content = chance.randbytes(24 * MIB + chance.randrange(1, MIB))
            if name is long:
                content = chance.randbytes(160 * MIB)
            record = kho.create(metadata(f"Tải tiếp: {name.__name__}"))["id"]
            key = f"thư mục/{name.__name__}.bin"
            kills = name(kho, chance, record, key, content)
            publish(kho, record, key, content)
            say(f"{name.__name__}: {len(content) >> 20} MiB came through {kills} kills")


def publish(kho, record, key, content):
    at = entry_at(record, key)
    entry = kho.want(200, "GET", at).json()
    hold(entry["status"] == "completed", f"{at} is {entry['status']}")
    hold(entry["sha256"] == sha256(content), f"{at}: other bytes arrived")
    kho.publish(record)
    got = kho.content(record, key)
    hold(got.status == 200 and got.body == content, f"{key}: what is sent is not what came ({got.status})")


def entry_at(record, key):
    return f"/api/records/{record}/draft/files/{urllib.parse.quote(key, safe='')}"


def revive(kho):
    kho.kill()
    kho.start()


class Killer:
    """Kills the server a little later, and starts it again."""

    def __init__(self, kho, delay):
        self.timer = threading.Timer(delay, self.strike)
        self.kho, self.dead = kho, threading.Event()
        self.timer.start()

    def strike(self):
        self.kho.kill()
        self.dead.set()

    def after(self):
        self.timer.join()
        self.dead.wait()
        self.kho.start()


def again(work, seconds=60):
    """Until the server answers, and until the lease of the dead has ended (PostgreSQL)."""
    end = time.monotonic() + seconds
    while True:
        answer = work()
        if answer.status not in (409, 423) or "retry-after" not in answer.headers or time.monotonic() > end:
            return answer
        time.sleep(1)


def tus(kho, chance, record, key, content):
    client = TusClient(f"{kho.url}/api/uploads", headers={"Authorization": f"Bearer {kho.token}"})
    said = {"record": record, "key": key}
    first = client.uploader(file_stream=io.BytesIO(content), chunk_size=MIB, metadata=said, upload_checksum=True)
    first.upload_chunk()
    url, acknowledged, kills = first.url, first.offset, 0
    while True:
        uploader = client.uploader(
            file_stream=io.BytesIO(content), url=url, chunk_size=chance.choice([300_000, MIB, 3 * MIB]), upload_checksum=True
        )
        hold(uploader.offset >= acknowledged, f"{acknowledged} bytes were acknowledged, and {uploader.offset} are there")
        killer = Killer(kho, chance.uniform(0.02, 0.3)) if kills < 6 else None
        try:
            while uploader.offset < len(content):
                uploader.upload_chunk()
                acknowledged = uploader.offset
        except (TusCommunicationError, *BROKEN) as error:
            status = getattr(error, "status_code", None)
            if killer is None:
                hold(status == 423, f"tus: {error!r}")
                time.sleep(1)
        if killer:
            killer.after()
            kills += 1
        if acknowledged == len(content):
            return kills


def long(kho, chance, record, key, content):
    import base64

    said = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in {"record": record, "key": key}.items())
    begun = kho.want(201, "POST", "/api/uploads", tus_resumable="1.0.0", upload_length=str(len(content)), upload_metadata=said)
    at = urllib.parse.urlsplit(begun.headers["Location"]).path
    host = urllib.parse.urlsplit(kho.url)

    def patch(offset, upto, rest):
        connection = http.client.HTTPConnection(host.hostname, host.port, timeout=120)
        connection.putrequest("PATCH", at)
        for name, value in {
            "Authorization": f"Bearer {kho.token}", "Tus-Resumable": "1.0.0", "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream", "Content-Length": str(len(content) - offset),
        }.items():
            connection.putheader(name, value)
        connection.endheaders()
        for start in range(offset, upto, MIB):
            connection.send(content[start : min(start + MIB, upto)])
        if not rest:
            return connection
        answer = connection.getresponse()
        hold(answer.status == 204, f"PATCH: {answer.status} {answer.read()[:200]}")
        return None

    left = patch(0, 150 * MIB, False)
    # What is in the sockets has to get there; the disk takes the rest of the time.
    time.sleep(3)
    revive(kho)
    left.close()
    offset = int(kho.want(200, "HEAD", at, tus_resumable="1.0.0").headers["Upload-Offset"])
    hold(offset >= 86 * MIB, f"of 150 MiB only {offset >> 20} are there")
    end = time.monotonic() + 60
    while kho.database == "postgres" and time.monotonic() < end:
        time.sleep(31)
        break
    patch(offset, len(content), True)
    return 1


def parts(kho, chance, record, key, content):
    size = 5 * 100_000
    count = -(-len(content) // size)
    announced = [{"key": key, "size": len(content), "checksum": f"md5:{hashlib.md5(content).hexdigest()}",
                  "transfer": {"type": "M", "parts": count, "part_size": size}}]
    listing = kho.want(201, "POST", f"/api/records/{record}/draft/files", announced).json()
    urls = {p["part"]: p["url"] for p in listing["entries"][0]["links"]["parts"]}
    hold(len(urls) == count, f"{len(urls)} addresses for {count} parts")
    acknowledged, kills = set(), 0
    at = entry_at(record, key)

    def send(number):
        piece = content[(number - 1) * size : number * size]
        try:
            answer = requests.put(urls[number], data=piece, headers={"Authorization": f"Bearer {kho.token}"}, timeout=30)
        except BROKEN:
            return
        hold(answer.status_code == 200, f"part {number}: {answer.status_code} {answer.text[:200]}")
        hold(answer.headers["ETag"] == f'"{hashlib.md5(piece).hexdigest()}"', f"part {number}: another ETag")
        acknowledged.add(number)

    while True:
        there = {p["part"] for p in kho.want(200, "GET", at).json()["received_parts"]}
        hold(acknowledged <= there, f"acknowledged and not there: {sorted(acknowledged - there)}")
        missing = [n for n in urls if n not in there]
        if not missing:
            break
        chance.shuffle(missing)
        killer = Killer(kho, chance.uniform(0.05, 0.4)) if kills < 4 else None
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(send, missing))
        if killer:
            killer.after()
            kills += 1
    for delay in (0.01, 0.05, 0.15):
        killer = Killer(kho, delay)
        try:
            kho.call("POST", f"{at}/commit")
        except BROKEN:
            pass
        killer.after()
        kills += 1
    done = again(lambda: kho.call("POST", f"{at}/commit"))
    hold(done.status == 200, f"commit: {done.status} {done.text()[:200]}")
    return kills


def ranges(kho, chance, record, key, content):
    kho.want(201, "POST", f"/api/records/{record}/draft/files", [{"key": key}])
    at, total = f"{entry_at(record, key)}/content", len(content)
    acknowledged, kills = 0, 0
    while True:
        asked = kho.want((200, 308), "PUT", at, b"", content_range=f"bytes */{total}")
        if asked.status == 200:
            break
        offset = int(asked.headers["Upload-Offset"])
        hold(offset >= acknowledged, f"{acknowledged} bytes were acknowledged, and {offset} are there")
        killer = Killer(kho, chance.uniform(0.02, 0.3)) if kills < 5 else None
        try:
            while offset < total:
                piece = content[offset : offset + chance.choice([200_000, MIB, 4 * MIB])]
                until = offset + len(piece)
                answer = again(lambda: kho.call("PUT", at, piece, content_range=f"bytes {offset}-{until - 1}/{total}"))
                hold(answer.status in (200, 202), f"piece at {offset}: {answer.status} {answer.text()[:200]}")
                acknowledged = offset = until
        except BROKEN:
            pass
        if killer:
            killer.after()
            kills += 1
    kho.want(200, "POST", f"{entry_at(record, key)}/commit")
    return kills


main()

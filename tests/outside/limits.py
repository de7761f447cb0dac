#!/usr/bin/env python3
"""Bad input: refused with the right answer, nothing lost, memory flat.

Looks at the memory of the server, so it starts its own.
"""

import os
import socket
import threading
import time
import urllib.parse

from kho import Server, hold, metadata, say, sha256

MIB = 1 << 20
# Room for buffers, the allocator's habits and a debug build; far below what any of the bombs would take.
FLAT = 64


class Watch:
    """The highest anonymous memory while the block runs."""

    def __init__(self, kho):
        self.kho = kho

    def __enter__(self):
        self.before = self.highest = self.kho.memory()
        self.running = True
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()
        return self

    def _look(self):
        while self.running:
            self.highest = max(self.highest, self.kho.memory())
            time.sleep(0.005)

    def __exit__(self, *_):
        self.running = False
        self.thread.join()

    @property
    def grown(self):
        return self.highest - self.before


def bombs(kho, record):
    """Bodies that cost little to send and much to take seriously."""
    deep = 100_000
    person = '{"person_or_org":{"type":"personal","family_name":"A"}}'
    yield "a title of 2 MB", b'{"metadata":{"title":"' + b"a" * (2 * MIB) + b'"}}'
    yield "arrays 100,000 deep", b'{"metadata":' + b"[" * deep + b"]" * deep + b"}"
    yield "objects 100,000 deep", b'{"metadata":' + b'{"a":' * deep + b"1" + b"}" * deep + b"}"
    yield "100,000 creators", ('{"metadata":{"creators":[' + ",".join([person] * 100_000) + "]}}").encode()
    yield "a million subjects", ('{"metadata":{"subjects":[' + ",".join(['{"subject":"a"}'] * 1_000_000) + "]}}").encode()
    yield "64 MB of nothing", b" " * (64 * MIB)
    yield "broken JSON", b'{"metadata":{"title":"a"'
    yield "no text at all", b"\xff\xfe\x00\x01"


def metadata_bombs(kho):
    draft = kho.create(metadata("Nguyên vẹn"))
    record = draft["id"]
    for name, body in bombs(kho, record):
        for method, path in (("POST", "/api/records"), ("PUT", f"/api/records/{record}/draft")):
            with Watch(kho) as watch:
                try:
                    answer = kho.call(method, path, body, content_type="application/json")
                    hold(answer.status in (400, 413), f"{name} by {method}: {answer.status} {answer.text()[:200]}")
                    hold("message" in answer.json(), f"{name}: refused without a word")
                except (ConnectionError, TimeoutError):
                    pass  # Refused while still being sent: the connection is closed on us.
            hold(watch.grown < FLAT, f"{name} by {method}: memory grew by {watch.grown:.0f} MiB")
    kept = kho.want(200, "GET", f"/api/records/{record}/draft").json()
    hold(kept["metadata"]["title"] == "Nguyên vẹn", "a refused PUT changed the draft")
    say("bombs of metadata are refused, and the draft is as it was")
    return record


def problems(kho):
    """What can be saved is saved, and every problem says where it is."""
    wrong = metadata(
        "Sai nhiều chỗ",
        publication_date="2026-13-45",
        languages=[{"id": "xx-not-a-language"}],
        rights=[{"id": "no-such-licence"}],
        unknown_field={"a": 1},
    )
    wrong["creators"][0]["person_or_org"]["identifiers"] = [{"scheme": "orcid", "identifier": "0000-0002-1825-0098"}]
    wrong["creators"][0]["affiliations"] = [{"id": "0zzzzzz99"}]
    wrong["related_identifiers"] = [{"identifier": "11.1234/nope", "scheme": "doi", "relation_type": {"id": "cites"}}]
    for language, accept in (("vi", "vi"), ("en", "en")):
        answer = kho.want(201, "POST", "/api/records", {"metadata": wrong}, accept_language=accept).json()
        fields = [e["field"] for e in answer.get("errors", [])]
        for path in ("publication_date", "languages", "rights", "identifiers", "related_identifiers", "unknown_field"):
            hold(any(path in f for f in fields), f"no problem named at {path}: {fields}")
        words = " ".join(m for e in answer["errors"] for m in e["messages"])
        hold(any("\u1ea0" <= c <= "\u1ef9" for c in words) == (language == "vi"), f"the problems are not in {language}: {words[:200]}")
    say("eight kinds of wrong metadata are saved, and named with their paths in both languages")


def keys(kho, record):
    at = f"/api/records/{record}/draft/files"
    for key in ("../up", "a/../../b", "/etc/passwd", "a//b", "a\x00b", "a\nb", ".", "", "a/" + "b" * 300, "x/" * 600 + "y", "a\\b"):
        answer = kho.call("POST", at, [{"key": key}])
        hold(answer.status == 400, f"the key {key[:40]!r} was answered {answer.status}")
    for body in ([{"key": f"f{n}"} for n in range(100_001)], {"key": "not in a list"}, [{"nokey": 1}], [1]):
        answer = kho.call("POST", at, body)
        hold(answer.status in (400, 413), f"{str(body)[:40]} was answered {answer.status}")
    for path in ("../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fkho.toml", "a%00b"):
        for door in (f"/api/records/{record}/files/{path}/content", f"/records/{record}/files/{path}", f"/{path}"):
            answer = kho.call("GET", door, token=None)
            hold(answer.status in (400, 403, 404) and b"root:" not in answer.body, f"GET {door}: {answer.status}")
    hold(not kho.want(200, "GET", at).json()["entries"], "a refused key left an entry")
    say("file keys that climb, hide or overflow are refused at every door")


def interrupted(kho, record):
    """A client that leaves, lies about the length, or sends forever does not hurt the draft."""
    at = f"/api/records/{record}/draft/files"
    kho.want(201, "POST", at, [{"key": "cut.bin"}])
    host, port = urllib.parse.urlsplit(kho.url).netloc.split(":")
    head = f"PUT {at}/cut.bin/content HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {kho.token}\r\nContent-Type: application/octet-stream\r\n"
    with socket.create_connection((host, int(port))) as half:
        half.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode() + b"x" * 400_000)
    time.sleep(0.3)
    entry = kho.want(200, "GET", f"{at}/cut.bin").json()
    hold(entry["status"] == "pending", f"half an upload is {entry['status']}")
    early = kho.call("POST", f"{at}/cut.bin/commit")
    hold(early.status == 400, f"half an upload could be committed: {early.status}")
    blocked = kho.call("POST", f"/api/records/{record}/draft/actions/publish")
    hold(blocked.status == 400, f"a draft with half an upload was published: {blocked.status}")
    whole = os.urandom(300_000)
    kho.want(200, "PUT", f"{at}/cut.bin/content", whole)
    kho.want(200, "POST", f"{at}/cut.bin/commit")
    say("an upload that broke off can be started again")
    kho.publish(record)
    hold(kho.content(record, "cut.bin").body == whole, "the second try is not what was sent")


def memory(kho):
    """A large file passes through without being held."""
    record = kho.create(metadata("Một tệp lớn"))["id"]
    at = f"/api/records/{record}/draft/files"
    kho.want(201, "POST", at, [{"key": "large.bin"}])
    content = os.urandom(MIB) * 256
    with Watch(kho) as up:
        kho.want(200, "PUT", f"{at}/large.bin/content", content)
        kho.want(200, "POST", f"{at}/large.bin/commit")
        kho.publish(record)
    with Watch(kho) as down:
        hold(sha256(kho.content(record, "large.bin").body) == sha256(content), "256 MiB came back different")
    hold(up.grown < FLAT and down.grown < FLAT, f"256 MiB took {up.grown:.0f} MiB up, {down.grown:.0f} MiB down")
    say(f"256 MiB passed with {up.grown:.0f} MiB more memory going up and {down.grown:.0f} MiB coming down")


def questions(kho):
    for path in (
        "/api/records?page=0",
        "/api/records?size=-1",
        "/api/records?size=999999999",
        "/api/records?page=1000&size=1000",
        "/api/records?page=nonsense",
        "/api/records?sort=nonsense",
    ):
        answer = kho.call("GET", path)
        hold(answer.status == 400, f"GET {path}: {answer.status}")
    for words in ("a" * 100_000, "(" * 5000, '"', "AND OR NOT", "title:[", "*" * 1000, "a* OR " * 2000, "\x00", "metadata.title:\\"):
        with Watch(kho) as watch:
            began = time.monotonic()
            answer = kho.call("GET", "/api/records?q=" + urllib.parse.quote(words))
        hold(answer.status in (200, 400, 414, 431), f"the search for {words[:20]!r} was answered {answer.status}")
        hold(time.monotonic() - began < 5 and watch.grown < FLAT, f"the search for {words[:20]!r} took too much")
    for identifier in ("nothing-here", "xxxxx-xxxxx", "%ff%fe", "a" * 3000):
        answer = kho.call("GET", f"/api/records/{identifier}", token=None)
        hold(answer.status in (400, 404, 414, 431), f"GET of {identifier[:20]!r}: {answer.status}")
    say("odd questions get an answer, soon")


with Server() as kho:
    record = metadata_bombs(kho)
    problems(kho)
    keys(kho, record)
    interrupted(kho, record)
    questions(kho)
    memory(kho)
    hold(kho.process.poll() is None, "the server is gone")
    log = kho.log.read_text(errors="replace")
    hold("panicked" not in log, f"a panic: {log[log.find('panicked') - 200 :][:800]}")

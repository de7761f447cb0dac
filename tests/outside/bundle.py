"""Everything at once, read by programs of others: Python's zipfile, Info-ZIP's unzip, sha256sum, curl and aria2.

A record of many small files in folders with Vietnamese names, one of more than 65,535 files (with --many), and one of more
than 4 GiB (with --large, a generated file): what is in the zip is what was deposited, an interrupted download goes on,
and the lists are understood by the programs they are for.
"""

import argparse
import io
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import urllib.parse
import xml.etree.ElementTree as xml
import zipfile

from kho import Server, a_server, hold, metadata, say, sha256, skip

MIB = 1 << 20
METALINK = "{urn:ietf:params:xml:ns:metalink}"


def deposit(kho, title, files):
    """Announces all files at once, sends them from eight connections, publishes."""
    record = kho.create(metadata(title))["id"]
    at = f"/api/records/{record}/draft/files"
    kho.want(201, "POST", at, [{"key": key} for key in files])
    rest, broken = list(files.items()), []

    def work():
        while rest and not broken:
            try:
                key, content = rest.pop()
            except IndexError:
                return
            quoted = urllib.parse.quote(key, safe="")
            sent = kho.call("PUT", f"{at}/{quoted}/content", content)
            done = kho.call("POST", f"{at}/{quoted}/commit")
            if (sent.status, done.status) != (200, 200):
                broken.append(f"{key}: {sent.status}, {done.status}: {done.text()[:200]}")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    hold(not broken, f"upload: {broken[:1]}")
    kho.publish(record)
    return record


def run(*words, cwd=None, stdin=None):
    done = subprocess.run(words, cwd=cwd, input=stdin, capture_output=True)
    said = (done.stdout + done.stderr).decode(errors="replace").strip()
    hold(done.returncode == 0, f"{' '.join(map(str, words))}: exit {done.returncode}: {said[-600:]}")
    return said


def have(program):
    if shutil.which(program):
        return True
    say(f"{program} is not here: its part was left out")
    return False


def whole(kho, record, files, folder):
    """The zip as three readers see it."""
    url = f"{kho.url}/records/{record}/archive"
    answer = kho.call("GET", f"/records/{record}/archive", token=None)
    hold(answer.status == 200, f"archive: {answer.status}")
    hold(answer.headers["Content-Length"] == str(len(answer.body)), "the length was not told")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as read:
        hold(read.testzip() is None, f"zipfile: {read.testzip()} is broken")
        names = read.namelist()
        hold(len(names) == len(set(names)), "a name is there twice")
        hold(all(name.startswith(f"{record}/") for name in names), "not all is in one folder")
        for key, content in files.items():
            hold(read.read(f"{record}/{key}") == content, f"{key} differs in the zip")
        for name in ("SHA256SUMS", "metadata/datacite.json", "metadata/schema.jsonld", "metadata/citation.bib"):
            hold(f"{record}/{name}" in names, f"{name} is missing")
    path = folder / "whole.zip"
    path.write_bytes(answer.body)
    if have("unzip"):
        run("unzip", "-tqq", path)
        run("unzip", "-qq", path, "-d", folder / "unpacked")
        run("sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS", cwd=folder / "unpacked" / record)
        sums = kho.call("GET", f"/records/{record}/SHA256SUMS", token=None).body
        run("sha256sum", "-c", "--strict", "--quiet", "-", cwd=folder / "unpacked" / record, stdin=sums)
    if have("curl"):
        part = folder / "part.zip"
        for cut in (1, 4_097, len(answer.body) // 2, len(answer.body) - 1):
            part.write_bytes(answer.body[:cut])
            run("curl", "-sSfL", "-C", "-", "-o", part, url)
            hold(sha256(part.read_bytes()) == sha256(answer.body), f"resumed at {cut}, the zip differs")
    say(f"zip of {len(files)} files, {len(answer.body)} bytes: read by zipfile and unzip, checked by sha256sum, resumed by curl")


def lists(kho, record, files, folder):
    answer = kho.call("GET", f"/records/{record}/files.meta4", token=None)
    hold(answer.headers["Content-Type"] == "application/metalink4+xml", f"metalink: {answer.headers['Content-Type']}")
    root = xml.fromstring(answer.body)
    hold(root.tag == f"{METALINK}metalink", f"not a metalink: {root.tag}")
    seen = {}
    for file in root.findall(f"{METALINK}file"):
        digest = file.find(f"{METALINK}hash[@type='sha-256']").text
        seen[file.get("name")] = (int(file.find(f"{METALINK}size").text), digest)
    hold(seen == {f"{record}/{key}": (len(c), sha256(c)) for key, c in files.items()}, "the metalink names other files")
    if not have("aria2c"):
        return
    quiet = ("--no-conf", "--console-log-level=error", "--summary-interval=0", "--file-allocation=none", "-j", "8")
    for name, how in (("files.meta4", ("-M",)), ("files.aria2", ("-i",))):
        listed = folder / name
        listed.write_bytes(kho.call("GET", f"/records/{record}/{name}", token=None).body)
        into = folder / f"by-{name}"
        run("aria2c", *quiet, "-V", "-d", into, *how, listed)
        for key, content in files.items():
            # aria2 (1.36, 1.37) leaves an ampersand in a metalink's name escaped; the bytes are what counts here.
            at = into / record / (key.replace("&", "&#38;") if name == "files.meta4" else key)
            at = at if at.exists() else into / record / key
            hold(at.exists() and at.read_bytes() == content, f"aria2 with {name}: {key} differs")
        if name == "files.aria2":
            run("sha256sum", "-c", "--strict", "--quiet", folder / "unpacked" / record / "SHA256SUMS", cwd=into / record)
    say("aria2 fetched everything by both lists and checked it")


def closed(kho, folder):
    draft = kho.create(metadata("Phỏng vấn kín"), access={"record": "public", "files": "restricted"})
    kho.upload(draft["id"], "secret.csv", b"1")
    record = kho.publish(draft["id"])["id"]
    answer = kho.call("GET", f"/records/{record}/archive", token=None)
    hold(answer.status == 200 and b"secret.csv" not in answer.body, f"a restricted file is told of ({answer.status})")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as read:
        hold(f"{record}/metadata/datacite.json" in read.namelist(), "the description is missing")
        hold("withheld" in read.read(f"{record}/SHA256SUMS").decode(), "nothing says that files are withheld")
    hold(answer.headers["Cache-Control"] == "private, no-store", "a cache may keep it")
    if have("aria2c"):
        listed = folder / "closed.aria2"
        listed.write_bytes(kho.call("GET", f"/records/{record}/files.aria2").body)
        hold(b"/files/secret.csv" in listed.read_bytes(), "its owner is not given the list")
        listed.write_bytes(kho.call("GET", f"/records/{record}/files.aria2", token=None).body)
        done = subprocess.run(["aria2c", "--no-conf", "-i", listed, "-d", folder], capture_output=True, text=True)
        hold("rror" not in done.stdout.replace("No files to download", ""), f"aria2 stumbles over the comment: {done.stdout}")
    say("whoever may not have the files gets the description and is told")


def many(kho, count, folder):
    """More entries than 16 bits count: the end of the zip is in ZIP64."""
    files = {f"{n // 1000:03}/{n:06}.txt": b"%d" % n for n in range(count)}
    before = kho.memory() if isinstance(kho, Server) else 0
    record = deposit(kho, "Rất nhiều tệp", files)
    path = folder / "many.zip"
    run("curl", "-sSfL", "-o", path, f"{kho.url}/records/{record}/archive")
    with zipfile.ZipFile(path) as read:
        names = set(read.namelist())
        hold(len(names) == count + 8, f"{len(names)} names")
        for n in range(0, count, 997):
            key = f"{n // 1000:03}/{n:06}.txt"
            hold(read.read(f"{record}/{key}") == files[key], f"{key} differs")
    if have("unzip"):
        run("unzip", "-tqq", path)
    after = kho.memory() if isinstance(kho, Server) else 0
    say(f"{count} files in one zip, every one there; the server holds {after:.0f} MiB (before: {before:.0f})")


def large(kho, folder):
    """A file of more than 4 GiB and one after it: sizes and offsets are in ZIP64. Sent as zeros, never held whole."""
    if shutil.disk_usage(folder).free < 16 << 30:
        say("less than 16 GiB are free: the large file was left out")
        return
    source = folder / "a.bin"
    with source.open("wb") as file:
        file.truncate((4 << 30) + 12_345)
    record = kho.create(metadata("Tệp rất lớn"))["id"]
    at = f"/api/records/{record}/draft/files"
    kho.want(201, "POST", at, [{"key": "a.bin"}, {"key": "b.txt"}])
    auth = ("-H", f"Authorization: Bearer {kho.token}", "-H", "Content-Type: application/octet-stream", "-H", "Expect:")
    run("curl", "-sSf", *auth, "-T", source, f"{kho.url}{at}/a.bin/content")
    kho.local = threading.local()  # The kept connection was idle too long.
    kho.want(200, "PUT", f"{at}/b.txt/content", "sau tệp lớn".encode())
    for key in ("a.bin", "b.txt"):
        kho.want(200, "POST", f"{at}/{key}/commit")
    kho.publish(record)
    source.unlink()
    path = folder / "large.zip"
    run("curl", "-sSf", "-r", "0-999999999", "-o", path, f"{kho.url}/records/{record}/archive")
    run("curl", "-sSf", "-C", "-", "-o", path, f"{kho.url}/records/{record}/archive")
    with zipfile.ZipFile(path) as read:
        hold(read.getinfo(f"{record}/a.bin").file_size == (4 << 30) + 12_345, "the large file has another size")
        hold(read.read(f"{record}/b.txt") == "sau tệp lớn".encode(), "the file after 4 GiB differs")
    if have("unzip"):
        run("unzip", "-tqq", path)
    say("a zip of more than 4 GiB, resumed after a gigabyte, is whole")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--many", type=int, default=0, help="also a record of so many files")
    parser.add_argument("--large", action="store_true", help="also a file of more than 4 GiB")
    options = parser.parse_args()
    files = {f"đo mặn/trạm {n % 7}/đợt {n:03}.csv": f"t,v\n{n},{n * n}\n".encode() * n for n in range(120)}
    files |= {"đọc tôi.txt": "Xin chào.\n".encode(), "-a & b's #1%.txt": b"x", "SHA256SUMS.txt": b"", "lớn.bin": os.urandom(3 * MIB)}
    with a_server() as kho, tempfile.TemporaryDirectory(prefix="kho-bundle-") as name:
        folder = pathlib.Path(name)
        record = deposit(kho, "Nhiều tệp", files)
        whole(kho, record, files, folder)
        lists(kho, record, files, folder)
        closed(kho, folder)
        if options.many:
            many(kho, options.many, folder)
        if options.large:
            large(kho, folder)


if __name__ == "__main__":
    if not shutil.which("sha256sum"):
        skip("no sha256sum")
    main()

#!/usr/bin/env python3
"""The main job as a client meets it: deposit a table, publish, find it, make a new version, download and compare.

Needs curl for the interrupted download. See kho.py for how it finds its server.
"""

import pathlib
import shutil
import subprocess
import tempfile
import unicodedata
import urllib.parse

from kho import a_server, hold, metadata, say, sha256, until

PENGUINS = (pathlib.Path(__file__).parents[1] / "data" / "penguins.csv").read_bytes()
README = "tài liệu/đọc tôi trước.txt"
TITLE = "Chất lượng nước mặt đồng bằng sông Cửu Long"


def deposit(kho):
    draft = kho.create({"title": TITLE})
    record = draft["id"]
    hold(draft["is_draft"] and not draft["is_published"], "a new deposit is not a draft")
    hold(any("creators" in e["field"] for e in draft.get("errors", [])), f"an incomplete draft names no problem: {draft.get('errors')}")
    refused = kho.call("POST", f"/api/records/{record}/draft/actions/publish")
    hold(refused.status == 400 and refused.json().get("errors"), f"an incomplete draft was published: {refused.status}")

    draft["metadata"] = metadata(TITLE, description="<p>Đo 344 chim cánh cụt; dữ liệu thật để thử.</p>")
    kept = {name: draft[name] for name in ("access", "files", "metadata")}
    saved = kho.want(200, "PUT", f"/api/records/{record}/draft", kept).json()
    left = [e for e in saved.get("errors", []) if e["field"] != "files.enabled"]
    hold(not left, f"a complete description has problems: {left}")
    stale = kho.call("PUT", f"/api/records/{record}/draft", kept, if_match='"0"')
    hold(stale.status == 412, f"a stale If-Match was answered {stale.status}")

    received = kho.upload(record, "penguins.csv", PENGUINS)
    hold(received["status"] == "completed" and received["size"] == len(PENGUINS), f"the upload came back as {received}")
    hold(received["checksum"].startswith("md5:"), f"no md5 in the dialect's form: {received['checksum']}")
    kho.upload(record, README, "Xin chào.\n".encode())
    twice = kho.call("POST", f"/api/records/{record}/draft/files", [{"key": "penguins.csv"}])
    hold(twice.status == 400, f"the same key twice was answered {twice.status}")

    hidden = kho.call("GET", f"/api/records/{record}", token=None)
    hold(hidden.status == 404, f"a draft is visible to a stranger: {hidden.status}")
    published = kho.publish(record)
    hold(published["is_published"] and published["pids"]["doi"]["identifier"].endswith(record), f"no DOI: {published.get('pids')}")
    hold(set(published["files"]["entries"]) == {"penguins.csv", README}, "the published files are not the uploaded ones")
    say(f"deposited and published {record}, {published['pids']['doi']['identifier']}")
    return published


def find(kho, record, doi):
    plain = "".join(c for c in unicodedata.normalize("NFD", TITLE.replace("đ", "d")) if not unicodedata.combining(c))
    for query in (TITLE, plain, plain.upper(), unicodedata.normalize("NFD", TITLE), "chat luong nuoc", f'"{doi}"', record):
        path = "/api/records?q=" + urllib.parse.quote(query)
        found = until(lambda: record in [h["id"] for h in kho.want(200, "GET", path, token=None).json()["hits"]["hits"]])
        hold(found, f"not found by {query!r}")
    other = kho.want(200, "GET", "/api/records?q=" + urllib.parse.quote("khí quyển sao Hỏa"), token=None).json()
    hold(record not in [h["id"] for h in other["hits"]["hits"]], "found by words it does not have")
    say("found with and without diacritics, composed and decomposed, by DOI and by id")


def download(kho, record):
    whole = kho.content(record, "penguins.csv", token=None)
    hold(whole.status == 200 and sha256(whole.body) == sha256(PENGUINS), f"downloaded bytes differ ({whole.status})")
    tag = whole.headers["ETag"]
    hold(sha256(PENGUINS) in tag and not tag.startswith("W/"), f"the ETag is not the SHA-256: {tag}")
    for asked, wanted in (("0-0", PENGUINS[:1]), ("100-199", PENGUINS[100:200]), ("-50", PENGUINS[-50:]), ("15000-", PENGUINS[15000:])):
        part = kho.content(record, "penguins.csv", range=f"bytes={asked}")
        hold(part.status == 206 and part.body == wanted, f"range {asked}: {part.status}, {len(part.body)} bytes")
    past = kho.content(record, "penguins.csv", range=f"bytes={len(PENGUINS)}-")
    hold(past.status == 416, f"a range past the end was answered {past.status}")
    changed = kho.content(record, "penguins.csv", range="bytes=0-9", if_range='"another"')
    hold(changed.status == 200 and changed.body == PENGUINS, "If-Range of another file gave a part")
    same = kho.content(record, "penguins.csv", if_none_match=tag)
    hold(same.status == 304 and not same.body, f"If-None-Match was answered {same.status}")
    head = kho.call("HEAD", f"/api/records/{record}/files/penguins.csv/content")
    hold(head.status == 200 and head.headers["Content-Length"] == str(len(PENGUINS)), "HEAD does not say the length")
    name = kho.content(record, README).headers["Content-Disposition"]
    hold("UTF-8''" in name and urllib.parse.quote("đọc tôi trước.txt") in name, f"the name is lost: {name}")

    if not shutil.which("curl"):
        say("curl is not here: the interrupted download was left out")
        return
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "penguins.csv"
        file.write_bytes(PENGUINS[:7001])
        url = f"{kho.url}/records/{record}/files/penguins.csv"
        done = subprocess.run(["curl", "-sSfL", "-C", "-", "-o", file, url], capture_output=True, text=True)
        hold(done.returncode == 0, f"curl -C -: {done.stderr}")
        hold(sha256(file.read_bytes()) == sha256(PENGUINS), "the resumed file differs")
        sums = kho.call("GET", f"/records/{record}/SHA256SUMS")
        hold(sums.status == 200 and sha256(PENGUINS) in sums.text(), f"SHA256SUMS does not name the file ({sums.status})")
    say("whole, ranges, conditions, names and a resumed download are byte-exact")


def revise(kho, first):
    again = kho.want(201, "POST", f"/api/records/{first['id']}/versions").json()
    record = again["id"]
    hold(kho.want(201, "POST", f"/api/records/{first['id']}/versions").json()["id"] == record, "asking again gives another draft")
    hold("publication_date" not in again["metadata"] and not again["files"].get("entries"), "the new draft took date or files along")
    kho.want(201, "POST", f"/api/records/{record}/draft/actions/files-import")
    kho.want(204, "DELETE", f"/api/records/{record}/draft/files/{urllib.parse.quote(README, safe='')}")
    kho.upload(record, README, "Bản thứ hai.\n".encode())
    again["metadata"] |= {"publication_date": "2026-11-20", "version": "2"}
    kho.want(200, "PUT", f"/api/records/{record}/draft", {name: again[name] for name in ("access", "metadata")} | {"files": {"enabled": True}})
    second = kho.publish(record)
    hold(second["parent"]["id"] == first["parent"]["id"] and second["versions"]["index"] == 2, "not a second version of the same record")
    hold(kho.content(first["id"], README).body == "Xin chào.\n".encode(), "the first version changed")
    hold(kho.content(record, README).body == "Bản thứ hai.\n".encode(), "the second version has the old file")
    hold(kho.content(record, "penguins.csv").body == PENGUINS, "the imported file differs")
    versions = kho.want(200, "GET", f"/api/records/{first['id']}/versions").json()["hits"]
    hold(versions["total"] == 2, f"{versions['total']} versions instead of 2")
    latest = kho.call("GET", f"/api/records/{first['id']}/versions/latest")
    hold(latest.status == 301 and record in latest.headers["Location"], f"latest: {latest.status} {latest.headers['Location']}")
    concept = kho.call("GET", f"/api/records/{first['parent']['id']}")
    hold(concept.status in (301, 302) and record in concept.headers["Location"], f"the concept id leads nowhere: {concept.status}")
    say(f"a second version {record} with one file changed; the first is untouched")


def refuse(kho, record):
    for method, path, body in (
        ("POST", "/api/records", {"metadata": {}}),
        ("POST", f"/api/records/{record}/draft", None),
        ("POST", f"/api/records/{record}/versions", None),
        ("GET", "/api/user/records", None),
    ):
        answer = kho.call(method, path, body, token=None)
        hold(answer.status in (401, 403, 404), f"nobody may {method} {path}, but: {answer.status}")
        answer = kho.call(method, path, body, token="not-a-token")
        hold(answer.status in (401, 403), f"a wrong token may {method} {path}: {answer.status}")
    say("strangers and wrong tokens are refused")


with a_server() as kho:
    first = deposit(kho)
    find(kho, first["id"], first["pids"]["doi"]["identifier"])
    download(kho, first["id"])
    revise(kho, first)
    refuse(kho, first["id"])

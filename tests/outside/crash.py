#!/usr/bin/env python3
"""Kill the server at random moments of uploads and publishes, and look what it remembers.

    crash.py [--rounds N] [--seed S] [--clients N]

Each round: several clients deposit at once; `kill -9` comes 20 to 400 ms later; the server is started again; then

  A. everything that was acknowledged is there, byte for byte: drafts, saved titles, completed files, versions;
  B. nothing half-published is visible: every record that search, versions or OAI-PMH names can be read, and all
     its files have the bytes their checksums promise;
  C. what was under way can be finished: the same publish, asked again, gives the same record.

At the end the archive is read by ocfl-py. The seed is printed; the moments of the kernel are its own, so a seed gives
the same deposits and delays, not the same crash.
"""

import argparse
import hashlib
import http.client
import random
import re
import threading
import time
import urllib.parse

from archive import validate
from kho import Server, hold, metadata, say, sha256, until

TITLE = "Đo đạc lần"


class Deposit:
    """What one client was told about one record, and what it asked last without an answer."""

    def __init__(self, record, title):
        self.record, self.title = record, title
        self.unsure_title = None
        # key → content, once committed; and one whose commit was sent and not answered.
        self.files, self.unsure_file, self.unsure_import = {}, None, {}
        self.published = False
        self.unsure_publish = False


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.deposits = []
        self.failed = False

    def add(self, deposit):
        with self.lock:
            self.deposits.append(deposit)


def work(kho, ledger, seed):
    """One client: deposits until the server goes away."""
    chance = random.Random(seed)
    try:
        while True:
            title = f"{TITLE} {chance.getrandbits(40)}"
            answer = kho.call("POST", "/api/records", {"files": {"enabled": True}, "metadata": metadata(title)})
            expect(answer, 201)
            deposit = Deposit(answer.json()["id"], title)
            ledger.add(deposit)
            for n in range(chance.randint(1, 3)):
                upload(kho, deposit, f"thư mục/{n}.bin", chance)
            if chance.random() < 0.3:
                save(kho, deposit, f"{TITLE} {chance.getrandbits(40)}")
            if chance.random() < 0.8:
                publish(kho, deposit)
                if chance.random() < 0.4:
                    revise(kho, ledger, deposit, chance)
    except (OSError, http.client.HTTPException):
        return
    except SystemExit:
        # `hold` ends a thread only; the whole run has to.
        ledger.failed = True


def upload(kho, deposit, key, chance):
    content = chance.randbytes(chance.choice([0, 1, 700, 65_536, 300_000, 2_000_000]))
    at = f"/api/records/{deposit.record}/draft/files"
    quoted = urllib.parse.quote(key, safe="")
    expect(kho.call("POST", at, [{"key": key}]), 201)
    expect(kho.call("PUT", f"{at}/{quoted}/content", content), 200)
    deposit.unsure_file = (key, content)
    expect(kho.call("POST", f"{at}/{quoted}/commit"), 200)
    deposit.files[key] = content
    deposit.unsure_file = None


def save(kho, deposit, title):
    deposit.unsure_title = title
    expect(kho.call("PUT", f"/api/records/{deposit.record}/draft", {"files": {"enabled": True}, "metadata": metadata(title)}), 200)
    deposit.title, deposit.unsure_title = title, None


def publish(kho, deposit):
    deposit.unsure_publish = True
    expect(kho.call("POST", f"/api/records/{deposit.record}/draft/actions/publish"), 202)
    deposit.published, deposit.unsure_publish = True, False


def revise(kho, ledger, before, chance):
    answer = kho.call("POST", f"/api/records/{before.record}/versions")
    expect(answer, 201)
    deposit = Deposit(answer.json()["id"], before.title)
    ledger.add(deposit)
    deposit.unsure_import = dict(before.files)
    expect(kho.call("POST", f"/api/records/{deposit.record}/draft/actions/files-import"), 201)
    deposit.files, deposit.unsure_import = dict(before.files), {}
    upload(kho, deposit, "thêm.bin", chance)
    save(kho, deposit, f"{TITLE} {chance.getrandbits(40)}")
    publish(kho, deposit)


def expect(answer, status):
    hold(answer.status == status, f"while the server ran: {answer.status} instead of {status}: {answer.text()[:300]}")


def remembered(kho, deposit):
    """A, and C for what was under way."""
    record, at = deposit.record, f"/api/records/{deposit.record}"
    seen = kho.call("GET", at)
    if deposit.unsure_publish and seen.status == 404:
        # Not published: then it is a whole draft, and can be published now.
        draft_remembered(kho, deposit)
        again = kho.call("POST", f"{at}/draft/actions/publish")
        hold(again.status == 202 and again.json()["id"] == record, f"{record}: publishing again: {again.status} {again.text()[:200]}")
        seen = kho.call("GET", at)
    elif not deposit.published and not deposit.unsure_publish:
        hold(seen.status == 404, f"{record} was never published, but GET gives {seen.status}")
        draft_remembered(kho, deposit)
        return
    hold(seen.status == 200, f"{record} was published, but GET gives {seen.status}")
    deposit.published, deposit.unsure_publish = True, False
    body = seen.json()
    hold(body["metadata"]["title"] == deposit.title, f"{record}: the title is {body['metadata']['title']!r}, not {deposit.title!r}")
    hold(set(body["files"]["entries"]) == set(deposit.files), f"{record}: files {set(body['files']['entries'])}, not {set(deposit.files)}")
    for key, content in deposit.files.items():
        got = kho.content(record, key)
        hold(got.status == 200 and sha256(got.body) == sha256(content), f"{record}/{key}: {got.status}, other bytes")


def draft_remembered(kho, deposit):
    record, at = deposit.record, f"/api/records/{deposit.record}/draft"
    seen = kho.call("GET", at)
    hold(seen.status == 200, f"the draft {record} is lost: {seen.status}")
    title = seen.json()["metadata"]["title"]
    # The title of a version draft is copied from the version before it.
    hold(title in (deposit.title, deposit.unsure_title), f"{record}: the title {title!r} was never sent")
    deposit.title, deposit.unsure_title = title, None
    listed = kho.call("GET", f"{at}/files")
    hold(listed.status == 200, f"{record}: the draft's files: {listed.status}")
    entries = {e["key"]: e for e in listed.json().get("entries", [])}
    if deposit.unsure_file:
        key, content = deposit.unsure_file
        if entries.get(key, {}).get("status") == "completed":
            deposit.files[key] = content
        deposit.unsure_file = None
    if deposit.unsure_import:
        came = {k for k in deposit.unsure_import if k in entries}
        hold(came in (set(), set(deposit.unsure_import)), f"{record}: half of the files were imported: {came}")
        deposit.files |= {k: deposit.unsure_import[k] for k in came}
        deposit.unsure_import = {}
    for key, content in deposit.files.items():
        entry = entries.get(key)
        hold(entry and entry["status"] == "completed", f"{record}/{key} was received, and is {entry and entry['status']}")
        hold(entry["size"] == len(content), f"{record}/{key}: {entry['size']} bytes, not {len(content)}")
        hold(entry["checksum"] == "md5:" + hashlib.md5(content).hexdigest(), f"{record}/{key}: another checksum")
        got = kho.call("GET", f"{at}/files/{urllib.parse.quote(key, safe='')}/content")
        hold(got.status == 200 and sha256(got.body) == sha256(content), f"{record}/{key}: {got.status}, other bytes")
    for key, entry in entries.items():
        if key not in deposit.files:
            hold(entry["status"] == "pending", f"{record}/{key} was never committed, and is {entry['status']}")
            # As a client would: an upload that did not finish is thrown away before publishing.
            kho.want(204, "DELETE", f"{at}/files/{urllib.parse.quote(key, safe='')}")


def listed(kho):
    """Every record that a reader is shown: by OAI-PMH, and by search."""
    names, asked = set(), "metadataPrefix=oai_dc"
    while asked:
        page = kho.call("GET", f"/oai2d?verb=ListIdentifiers&{asked}", token=None).text()
        names |= {i.rsplit(":", 1)[1] for i in re.findall(r"<identifier>([^<]+)</identifier>", page)}
        token = re.search(r"<resumptionToken[^>]*>([^<]+)<", page)
        asked = token and "resumptionToken=" + urllib.parse.quote(token[1])
    return names, searched(kho)


def searched(kho):
    names, page = set(), 1
    while True:
        answer = kho.call("GET", f"/api/records?allversions=true&sort=newest&size=100&page={page}", token=None)
        hold(answer.status == 200, f"search: {answer.status} {answer.text()[:200]}")
        hits = answer.json()["hits"]["hits"]
        names |= {h["id"] for h in hits}
        if len(hits) < 100:
            return names
        page += 1


def whole(kho, record):
    """B: what is shown can be had."""
    seen = kho.call("GET", f"/api/records/{record}", token=None)
    hold(seen.status == 200, f"{record} is listed, but GET gives {seen.status}")
    entries = seen.json()["files"]["entries"]
    hold(entries, f"{record} is visible without its files")
    for key, entry in entries.items():
        got = kho.content(record, key, token=None)
        hold(got.status == 200 and len(got.body) == entry["size"], f"{record}/{key}: {got.status}, {len(got.body)} of {entry['size']} bytes")
        hold("md5:" + hashlib.md5(got.body).hexdigest() == entry["checksum"], f"{record}/{key} has not its checksum")
    versions = kho.call("GET", f"/api/records/{record}/versions", token=None)
    hold(record in [h["id"] for h in versions.json()["hits"]["hits"]], f"{record} is not among its own versions")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    say(f"seed {seed}, {options.rounds} rounds, {options.clients} clients")
    chance = random.Random(seed)
    ledger, checked, looked, slowest = Ledger(), 0, set(), 0.0
    with Server() as kho:
        number = 0
        # On a busy machine little is published before the kill: go on, and wait longer, until the run means something.
        while number < options.rounds or (
            sum(d.published for d in ledger.deposits) < options.rounds // 3 and number < 4 * options.rounds
        ):
            longest = 0.4 * (1 + number // options.rounds)
            number += 1
            clients = [
                threading.Thread(target=work, args=(kho, ledger, f"{seed}/{number}/{n}"), daemon=True) for n in range(options.clients)
            ]
            for client in clients:
                client.start()
            time.sleep(chance.uniform(0.02, longest))
            kho.kill()
            for client in clients:
                client.join(60)
            hold(not ledger.failed, "a client was answered wrongly before the kill")
            kho.start()
            slowest = max(slowest, kho.started_in)
            for deposit in ledger.deposits[checked:]:
                remembered(kho, deposit)
            checked = len(ledger.deposits)
            for names in listed(kho):
                for record in names - looked:
                    whole(kho, record)
                looked |= names
        for deposit in ledger.deposits:
            remembered(kho, deposit)
        published = {d.record for d in ledger.deposits if d.published}
        found = until(lambda: published <= searched(kho))
        hold(found, f"{len(published - searched(kho))} published records are not found by search")
        harvested, _ = listed(kho)
        hold(harvested == published, f"harvested {len(harvested)} records, published {len(published)}")
        kho.stop()
        files = sum(len(d.files) for d in ledger.deposits)
        say(f"{number} kills: {len(ledger.deposits)} drafts, {files} files, {len(published)} versions, all there and whole")
        say(f"ocfl-py: {validate(kho.archive())}")
        say(f"the slowest start after a kill took {slowest * 1000:.0f} ms")
        # A run in which nothing was under way when the kill came has shown nothing.
        hold(len(published) >= options.rounds // 3, "too little was published to mean anything: give it a faster machine or more rounds")


if __name__ == "__main__":
    main()

"""The measures of `bench/run`, one function each, and the table they end in.

    bench/run [--records 10000] [--rounds 5] [--large 1024] [--store DIR] [--only start,json,…] [--check]

Each goal is a ratio to nginx doing the same work on the same machine in the same minutes, or a number that a reader
feels. Wall times of two machines, or two days, are not comparable; ratios nearly are.
"""

import argparse
import json
import os
import pathlib
import queue
import random
import shutil
import subprocess
import tempfile
import threading
import time

from machine import Kho, Nginx, anonymous, curl, describe, fsync_ms, harvest, have, interleaved, median, next_token, wrk

MIB = 1 << 20
SAMPLE = 2000


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rows = []
        self.kho = Kho(os.environ["KHO_BIN"], self.store())
        self.nginx = Nginx(folder / "nginx") if have("nginx") else None

    def store(self):
        if self.options.store:
            store = pathlib.Path(self.options.store).resolve()
            store.mkdir(parents=True, exist_ok=True)
            return store
        store = self.folder / "data"
        store.mkdir()
        return store

    def row(self, name, kho, peer="–", ratio=None, goal="", good=None):
        self.rows.append((name, kho, peer, "–" if ratio is None else f"{ratio:.2f}", goal, good))
        print(f"  {name}: {kho}, {peer}", flush=True)

    # ---- The store ----------------------------------------------------------------------------------------------

    def seed(self):
        """Records through the front door: create and publish over REST, from as many connections as help.

        Every fourth has a file. There is no other way in yet; when there is a bulk import, use that.
        """
        self.token = self.kho.account(f"bench-{os.getpid()}@example.org")
        have_already = self.total()
        todo = queue.SimpleQueue()
        for n in range(have_already, self.options.records):
            todo.put(n)
        began, count = time.perf_counter(), todo.qsize()

        def work():
            while True:
                try:
                    n = todo.get_nowait()
                except queue.Empty:
                    return
                self.deposit(n, b"t,v\n%d,1\n" % n if n % 4 == 0 else None)

        threads = [threading.Thread(target=work) for _ in range(self.options.seeders)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if count:
            rate = count / (time.perf_counter() - began)
            self.row("records deposited by 16 clients at once", f"{rate:.0f}/s")
        for _ in range(600):
            if self.total() >= self.options.records:
                break
            time.sleep(0.5)
        else:
            raise SystemExit(f"only {self.total()} of {self.options.records} records can be found")
        self.ids = []
        for page in range(1, SAMPLE // 100 + 1):
            hits = self.search(f"?sort=newest&size=100&page={page}")["hits"]["hits"]
            self.ids += [h["id"] for h in hits]
        self.ids = sorted(set(self.ids))

    def search(self, query):
        return json.loads(self.kho.call("GET", "/api/records" + query, want=200))

    def total(self):
        return self.search("?size=1")["hits"]["total"]

    def deposit(self, n, content):
        words = WORDS[n % len(WORDS)]
        person = {"type": "personal", "family_name": "Nguyễn", "given_name": f"Văn {n % 97}"}
        metadata = {
            "resource_type": {"id": "dataset"},
            "title": f"{words}, đợt {n}",
            "additional_titles": [{"title": f"Series {n}", "type": {"id": "translated-title"}, "lang": {"id": "eng"}}],
            "description": f"<p>{words} được đo mỗi giờ tại {n % 34 + 1} trạm trong năm {1990 + n % 36}.</p>",
            "publication_date": f"{1990 + n % 36}-0{n % 9 + 1}-15",
            "publisher": "Kho",
            "creators": [{"person_or_org": person}],
            "subjects": [{"subject": words.split()[0].lower()}],
            "rights": [{"id": "cc-by-4.0"}],
            "languages": [{"id": "vie"}],
        }
        call, token = self.kho.call, self.token
        draft = call("POST", "/api/records", token, {"files": {"enabled": content is not None}, "metadata": metadata}, want=201)
        record = json.loads(draft)["id"]
        if content is not None:
            files = f"/api/records/{record}/draft/files"
            call("POST", files, token, [{"key": "table.csv"}], want=201)
            call("PUT", f"{files}/table.csv/content", token, content, want=200)
            call("POST", f"{files}/table.csv/commit", token, want=200)
        call("POST", f"/api/records/{record}/draft/actions/publish", token, want=202)
        return record

    # ---- The measures -------------------------------------------------------------------------------------------

    def start(self):
        path = f"/api/records/{self.ids[0]}"
        warm, cold = [], []
        for _ in range(self.options.rounds):
            self.kho.stop()
            warm.append(self.kho.start(path))
        self.row("start to first record, files cached", f"{median(warm):.0f} ms", goal="< 100 ms", good=median(warm) < 100)
        if self.options.drop_caches and os.geteuid() == 0:
            for _ in range(self.options.rounds):
                self.kho.stop()
                subprocess.run(["sync"], check=True)
                pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
                cold.append(self.kho.start(path))
            self.row("start to first record, caches dropped", f"{median(cold):.0f} ms", goal="< 100 ms", good=median(cold) < 100)

    def memory(self):
        self.kho.stop()
        self.kho.start(f"/api/records/{self.ids[0]}")
        time.sleep(5)
        idle = anonymous(self.kho.process.pid)
        self.row("anonymous memory, idle", f"{idle:.1f} MiB", goal="< 60 MiB", good=idle < 60)

    def pages(self, name, path, folder, goal, headers=()):
        if not (self.nginx and have("wrk")):
            return self.row(name, "not measured: nginx or wrk is missing")
        at = self.nginx.root / folder
        at.mkdir(exist_ok=True)
        for record in self.ids:
            answer = subprocess.run(
                ["curl", "-sf", *sum((["-H", f"{k}: {v}"] for k, v in headers), []), self.kho.url + path(record)], capture_output=True, check=True
            )
            (at / record).write_bytes(answer.stdout)
        seen = interleaved(
            self.options.rounds,
            kho=lambda: wrk(self.kho.url, [path(r) for r in self.ids], self.options.seconds, headers=headers),
            nginx=lambda: wrk(self.nginx.url, [f"/{folder}/{r}" for r in self.ids], self.options.seconds, headers=headers),
        )
        ratio = seen["kho"] / seen["nginx"]
        self.row(name, f"{seen['kho']:.0f}/s", f"nginx {seen['nginx']:.0f}/s", ratio, f"≥ {goal}", ratio >= goal)

    def json(self):
        self.pages("record as JSON", lambda r: f"/api/records/{r}", "json", 0.4)

    def landing(self):
        headers = (("Accept", "text/html"), ("Accept-Language", "vi"))
        self.pages("landing page", lambda r: f"/vi/records/{r}", "html", 0.2, headers)

    def large_file(self):
        path = pathlib.Path("/dev/shm" if shutil.disk_usage("/dev/shm").free > 2 * self.options.large * MIB else self.folder)
        path = path / f"kho-bench-{os.getpid()}"
        if not path.exists():
            block = os.urandom(MIB - 8)
            with path.open("wb") as file:
                for n in range(self.options.large):
                    file.write(block + n.to_bytes(8, "big"))
        self.large = path
        return path

    def upload(self):
        source, size = self.large_file(), self.options.large * MIB / 1e6
        def to_kho():
            draft = self.kho.call("POST", "/api/records", self.token, {"files": {"enabled": True}, "metadata": {"title": "Lớn"}}, want=201)
            files = f"/api/records/{json.loads(draft)['id']}/draft/files"
            self.kho.call("POST", files, self.token, [{"key": "large.bin"}], want=201)
            began = time.perf_counter()
            auth = ["-H", f"Authorization: Bearer {self.token}", "-H", "Content-Type: application/octet-stream", "-H", "Expect:"]
            curl(*auth, "-T", str(source), f"{self.kho.url}{files}/large.bin/content")
            self.kho.call("POST", f"{files}/large.bin/commit", self.token, want=200)
            taken = time.perf_counter() - began
            self.kho.call("DELETE", f"{files}/large.bin", self.token, want=204)
            return size / taken

        def to_nginx():
            taken = curl("-H", "Expect:", "-T", str(source), f"{self.nginx.url}/up.bin")
            (self.nginx.root / "up.bin").unlink()
            return size / taken

        sides = {"kho": to_kho} | ({"nginx": to_nginx} if self.nginx else {})
        self.compare("upload, one stream (SHA-256, MD5, synced)", interleaved(self.options.rounds, **sides), 0.5)

    def download(self):
        source, size = self.large_file(), self.options.large * MIB / 1e6
        record = json.loads(
            self.kho.call("POST", "/api/records", self.token, {"files": {"enabled": True}, "metadata": FULL | {"title": "Lớn"}}, want=201)
        )["id"]
        files = f"/api/records/{record}/draft/files"
        self.kho.call("POST", files, self.token, [{"key": "large.bin"}], want=201)
        auth = ["-H", f"Authorization: Bearer {self.token}", "-H", "Content-Type: application/octet-stream", "-H", "Expect:"]
        curl(*auth, "-T", str(source), f"{self.kho.url}{files}/large.bin/content")
        self.kho.call("POST", f"{files}/large.bin/commit", self.token, want=200)
        self.kho.call("POST", f"/api/records/{record}/draft/actions/publish", self.token, want=202)
        sides = {"kho": lambda: size / curl(f"{self.kho.url}/api/records/{record}/files/large.bin/content")}
        if self.nginx:
            shutil.copyfile(source, self.nginx.root / "down.bin")
            sides["nginx"] = lambda: size / curl(f"{self.nginx.url}/down.bin")
        self.compare("download, one stream", interleaved(self.options.rounds, **sides), 0.6)

    def compare(self, name, seen, goal):
        if "nginx" not in seen:
            return self.row(name, f"{seen['kho']:.0f} MB/s", "nginx is missing")
        ratio = seen["kho"] / seen["nginx"]
        self.row(name, f"{seen['kho']:.0f} MB/s", f"nginx {seen['nginx']:.0f} MB/s", ratio, f"≥ {goal}", ratio >= goal)

    def small(self):
        taken = []
        for n in range(12 * self.options.rounds):
            began = time.perf_counter()
            self.deposit(n, b"t,v\n1,2\n" * 512)
            taken.append((time.perf_counter() - began) * 1e3)
        durable = fsync_ms(self.folder)
        self.row("whole deposit, one file of 4 KiB", f"{median(taken):.1f} ms", f"durable write {durable:.1f} ms", goal="< 60 ms", good=median(taken) < 60)

    def oai(self):
        first = "/oai2d?verb=ListRecords&metadataPrefix=oai_dc"
        rates, peers, ends = [], [], []
        for _ in range(self.options.rounds):
            records, taken, pages = harvest(self.kho.port, first, next_token)
            if not records:
                raise SystemExit("the harvest is empty")
            rates.append(records / taken)
            # The last page may be short: the last full one is compared, by the record.
            by_record = [t / max(1, body.count(b"<header")) for t, body in pages[:-1] or pages]
            tenth = max(1, len(by_record) // 10)
            ends.append(median(by_record[-tenth:]) / median(by_record[:tenth]))
            if self.nginx:
                for n, (_, body) in enumerate(pages):
                    (self.nginx.root / f"oai-{n}").write_bytes(body)
                harvested, taken, _ = harvest(self.nginx.port, "/oai-0", lambda _, n: f"/oai-{n}" if n < len(pages) else None)
                peers.append(harvested / taken)
        rate, peer = median(rates), median(peers)
        named = f"nginx, prepared pages {peer:.0f}/s" if peers else "–"
        self.row(f"OAI-PMH ListRecords, {records} records", f"{rate:.0f}/s", named, rate / peer if peers else None, "≥ 50,000/s", rate >= 50_000)
        self.row("OAI-PMH, last pages to first", f"{median(ends):.2f} ×", goal="≤ 1.2 ×", good=median(ends) <= 1.2)

    def many(self):
        """One record of very many files: deposited, published, shown, listed, laid out as a zip."""
        count = self.options.files
        draft = self.kho.call("POST", "/api/records", self.token, {"files": {"enabled": True}, "metadata": FULL | {"title": "Rất nhiều tệp"}}, want=201)
        record = json.loads(draft)["id"]
        files = f"/api/records/{record}/draft/files"
        keys = [f"{n // 1000:03}/{n:06}.csv" for n in range(count)]
        began = time.perf_counter()
        self.kho.call("POST", files, self.token, [{"key": key} for key in keys], want=201)
        self.row(f"{count} files announced at once", f"{time.perf_counter() - began:.1f} s")
        todo = queue.SimpleQueue()
        for key in keys:
            todo.put(key.replace("/", "%2F"))
        began = time.perf_counter()

        def work():
            while True:
                try:
                    key = todo.get_nowait()
                except queue.Empty:
                    return
                self.kho.call("PUT", f"{files}/{key}/content", self.token, key.encode(), want=200)
                self.kho.call("POST", f"{files}/{key}/commit", self.token, want=200)

        threads = [threading.Thread(target=work) for _ in range(self.options.seeders)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.row(f"{count} files sent and confirmed", f"{count / (time.perf_counter() - began):.0f}/s")
        before = anonymous(self.kho.process.pid)
        peak, going = [before], threading.Event()

        def watch():
            while not going.wait(0.05):
                peak.append(anonymous(self.kho.process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        began = time.perf_counter()
        self.kho.call("POST", f"/api/records/{record}/draft/actions/publish", self.token, want=202)
        taken = time.perf_counter() - began
        going.set()
        watcher.join()
        self.row(f"publishing {count} files", f"{taken:.1f} s", goal="< 10 s", good=taken < 10)
        self.row("anonymous memory, highest while publishing", f"{max(peak):.0f} MiB", f"before {before:.0f} MiB")

        def asked(name, path, goal, method="GET", rounds=self.options.rounds):
            times = []
            for n in range(rounds):
                began = time.perf_counter()
                self.kho.call(method, path(n), want=200)
                times.append((time.perf_counter() - began) * 1e3)
            took = median(times)
            self.row(name, f"{took:.0f} ms", goal=f"< {goal} ms" if goal else "", good=took < goal if goal else None)

        # Another page each time: what everybody sees is kept.
        asked("its page, top level", lambda n: f"/vi/records/{record}?files_page={n + 1}", 300)
        asked("its page, a folder", lambda n: f"/vi/records/{record}?folder={n:03}", 300)
        asked("a page of 1,000 of its files as JSON", lambda n: f"/api/records/{record}/files?page={n + 1}", 300)
        asked("all its files as JSON", lambda n: f"/api/records/{record}/files", 0, rounds=1)
        asked("the layout of its zip", lambda n: f"/records/{record}/archive", 0, "HEAD")
        taken = curl(f"{self.kho.url}/records/{record}/archive")
        self.row("all of it as one zip", f"{count / taken:.0f} files/s")

    # ---- The table ----------------------------------------------------------------------------------------------

    def table(self):
        head = ("measure", "kho", "peer", "ratio", "goal", "")
        rows = [head, *((*r[:5], {True: "yes", False: "NO", None: ""}[r[5]]) for r in self.rows)]
        widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
        lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(r, widths)) + " |" for r in rows]
        lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
        return "\n".join(lines)


FULL = {
    "resource_type": {"id": "dataset"},
    "publication_date": "2026-11-01",
    "publisher": "Kho",
    "creators": [{"person_or_org": {"type": "personal", "family_name": "Nguyễn"}}],
    "rights": [{"id": "cc-by-4.0"}],
}
WORDS = [
    "Chất lượng nước mặt đồng bằng sông Cửu Long",
    "Độ mặn cửa sông Hậu",
    "Lượng mưa ngày vùng Tây Nguyên",
    "Nhiệt độ mặt biển vịnh Bắc Bộ",
    "Nồng độ bụi mịn tại Hà Nội",
    "Sản lượng lúa theo huyện",
    "Đa dạng loài chim Cát Tiên",
    "Biến động đường bờ biển Cà Mau",
]
MEASURES = ("start", "memory", "json", "landing", "upload", "download", "small", "oai", "many")


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description="Kho beside nginx on this machine, as ratios.")
    parser.add_argument("--records", type=int, default=10_000, help="records in the store (10000)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds, of which the median counts (5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of each round of requests (4)")
    parser.add_argument("--large", type=int, default=1024, help="MiB of the large file (1024)")
    parser.add_argument("--files", type=int, default=100_000, help="files of the record of very many (100000)")
    parser.add_argument("--seeders", type=int, default=16, help="connections that fill the store (16)")
    parser.add_argument("--store", help="a data folder to use, and to fill only as far as it is not yet")
    parser.add_argument("--only", default=",".join(MEASURES), help=f"some of {','.join(MEASURES)}")
    parser.add_argument("--drop-caches", action="store_true", help="also start with the kernel's caches dropped (root; slows all else down)")
    parser.add_argument("--check", action="store_true", help="fail when a goal is not met")
    options = parser.parse_args()
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}")

    random.seed(27)
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory(prefix="kho-bench-", dir=os.environ.get("KHO_BENCH_DIR")) as folder:
        bench = Bench(options, pathlib.Path(folder))
        try:
            bench.kho.start()
            bench.seed()
            for name in wanted:
                # One that cannot be taken does not cost the others.
                try:
                    getattr(bench, name)()
                except (SystemExit, subprocess.CalledProcessError, OSError) as failed:
                    bench.row(name, f"could not be measured: {failed}", good=False)
        finally:
            bench.kho.stop()
            if bench.nginx:
                bench.nginx.stop()
            if hasattr(bench, "large"):
                bench.large.unlink(missing_ok=True)
    print(f"\n{describe()}\n{options.records} records, median of {options.rounds} interleaved rounds\n\n{bench.table()}")
    if options.check and any(row[5] is False for row in bench.rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

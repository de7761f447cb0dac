"""A Kho to check from outside: started from a binary on an empty store, or one that runs already.

Every script beside this one begins with `with a_server() as kho:`. What it takes from the environment:

    KHO_BIN                 the binary to start (a debug build will do)
    KHO_URL, KHO_TOKEN      instead of it: a server that runs, and a depositor's token
    KHO_TEST_DATABASE       sqlite (default) or postgres, for the server that is started
    KHO_TEST_POSTGRES_URL   a PostgreSQL where databases may be made; each server gets one of its own
    KHO_TEST_STORAGE        folder (default) or s3, for the server that is started
    KHO_TEST_S3_ENDPOINT    an S3 server where a bucket may be made, with AWS_ACCESS_KEY_ID and so on
    KHO_GO_ON=1             say everything that falls short instead of ending at the first
    KHO_KEEP=1              leave the store behind, and say where

A script exits 0 when all held, 1 at the first thing that did not, 77 when it could not look (and says why).
Not a client library: it keeps to what the checks need, and hides nothing that a check wants to see.
"""

import atexit
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

SKIPPED = 77


def say(text):
    print(f"    {text}", flush=True)


def skip(why):
    print(f"    skipped: {why}", flush=True)
    sys.exit(SKIPPED)


def hold(truth, otherwise):
    """The one assertion: ends the script and says what was seen instead."""
    if truth:
        return
    print(f"    FALLS SHORT: {otherwise}", flush=True)
    if not os.environ.get("KHO_GO_ON"):
        sys.exit(1)
    # The last word of the process, whatever the script goes on to do.
    atexit.register(lambda: os._exit(1))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def until(look, seconds=20):
    """What follows a publish (index, feed) is a job: it comes soon, not at once."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen or time.monotonic() > end:
            return seen
        time.sleep(0.05)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode("utf-8", "replace")


class Api:
    """Calls with a token. One connection a thread, kept alive; no redirects are followed."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token
        self.local = threading.local()

    def call(self, method, path, body=None, token=..., timeout=60, **headers):
        """`body`: bytes go as they are, anything else as JSON. Headers: `if_match='"3"'`."""
        at = urllib.parse.urlsplit(path if path.startswith("http") else self.url + path)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        token = self.token if token is ... else token
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent.setdefault("Content-Type", "application/octet-stream" if isinstance(body, bytes) else "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        target = at.path + (f"?{at.query}" if at.query else "")
        connection = getattr(self.local, "connection", None)
        for attempt in (1, 2):
            fresh = connection is None
            if fresh:
                connection = http.client.HTTPConnection(at.hostname, at.port, timeout=timeout)
            try:
                connection.request(method, target, body=body, headers=sent)
                reply = connection.getresponse()
                answer = Answer(reply.status, reply.headers, reply.read())
                self.local.connection = None if reply.will_close else connection
                return answer
            except (http.client.HTTPException, OSError):
                connection.close()
                self.local.connection = connection = None
                # A kept connection may have been closed between two calls; only what may be said twice is.
                if fresh or attempt == 2 or method not in ("GET", "HEAD"):
                    raise

    def want(self, status, method, path, *args, **more):
        answer = self.call(method, path, *args, **more)
        wanted = status if isinstance(status, tuple) else (status,)
        hold(answer.status in wanted, f"{method} {path}: {answer.status} instead of {status}: {answer.text()[:300]}")
        return answer

    # A deposit, step by step as clients of the dialect do it.

    def create(self, metadata, **more):
        body = {"access": {"record": "public", "files": "public"}, "files": {"enabled": True}, "metadata": metadata, **more}
        return self.want(201, "POST", "/api/records", body).json()

    def upload(self, record, key, content):
        at = f"/api/records/{record}/draft/files"
        quoted = urllib.parse.quote(key, safe="")
        self.want(201, "POST", at, [{"key": key}])
        self.want(200, "PUT", f"{at}/{quoted}/content", content)
        return self.want(200, "POST", f"{at}/{quoted}/commit").json()

    def publish(self, record):
        return self.want(202, "POST", f"/api/records/{record}/draft/actions/publish").json()

    def content(self, record, key, **headers):
        return self.call("GET", f"/api/records/{record}/files/{urllib.parse.quote(key, safe='')}/content", **headers)


def metadata(title, **more):
    person = {"type": "personal", "family_name": "Nguyễn", "given_name": "Thị Minh"}
    return {
        "resource_type": {"id": "dataset"},
        "title": title,
        "publication_date": "2026-11-01",
        "publisher": "Kho",
        "creators": [{"person_or_org": person}],
        "rights": [{"id": "cc-by-4.0"}],
        "languages": [{"id": "vie"}],
        **more,
    }


class Server(Api):
    """A `kho serve` of our own on an empty store. Ends, and takes its store with it, when the block ends."""

    def __init__(self, database=None, log="warn"):
        super().__init__(None)
        self.binary = os.environ.get("KHO_BIN") or skip("KHO_BIN names no binary to start")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kho-outside-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("KHO_")}
        self.env |= {"KHO_LISTEN": "127.0.0.1:0", "KHO_DATA": str(self.data), "KHO_LOG": os.environ.get("KHO_LOG", log), "NO_COLOR": "1"}
        self.database = database or os.environ.get("KHO_TEST_DATABASE", "sqlite")
        if self.database == "postgres":
            self.env["KHO_DATABASE_URL"] = self._new_database()
        self.prefix = None
        if os.environ.get("KHO_TEST_STORAGE") == "s3":
            self._new_prefix()
        self.process = None
        self._prepare()
        self.start()
        self.token = self.account("depositor@example.org")

    def _prepare(self):
        """What has to be there before the first start."""

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop()
        failed = kind is not None and not (kind is SystemExit and _[0].code in (0, SKIPPED))
        if failed:
            tail = self.log.read_text(errors="replace").splitlines()[-15:]
            print("    the server's last lines:", *tail, sep="\n      ", flush=True)
        self._drop_database()
        self._drop_prefix()
        if os.environ.get("KHO_KEEP"):
            say(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve"], env=self.env, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
            )
        for line in self.process.stdout:
            for word in line.split():
                at = urllib.parse.urlsplit(word)
                if at.scheme == "http" and at.path in ("", "/"):
                    self.url = f"http://{at.netloc}"
                    self.started_in = time.monotonic() - began
                    self.local = threading.local()
                    # Whatever it prints from now on must not fill the pipe and stop it.
                    threading.Thread(target=self._drain, args=[self.process.stdout], daemon=True).start()
                    return
        self.process.wait()
        tail = self.log.read_text(errors="replace").strip()[-600:]
        hold(False, f"kho serve ended ({self.process.returncode}) before it said where it listens: {tail}")

    @staticmethod
    def _drain(pipe):
        with contextlib.suppress(ValueError):
            for _ in pipe:
                pass

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def run(self, *words, stdin=None):
        done = subprocess.run([self.binary, *words], env=self.env, input=stdin, capture_output=True, text=True)
        hold(done.returncode == 0, f"kho {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout.strip()

    def account(self, email, role="depositor"):
        name = email.split("@")[0]
        self.run("user", "create", "--email", email, "--name", name, "--role", role, "--password-stdin", stdin=f"{PASSWORD}\n")
        return self.run("token", "create", "--email", email, "--name", "outside")

    def memory(self):
        """Anonymous memory in MiB: what the program holds, without the files it has mapped."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
        return float("nan")

    def archive(self):
        """The root of the OCFL storage; of a bucket, a copy of what it has now."""
        if self.prefix:
            import bucket

            copy = self.folder / f"archive-{time.monotonic_ns()}"
            bucket.copy_to(f"{self.prefix}/archive/", copy)
            hold((copy / "0=ocfl_1.1").is_file(), "no OCFL 1.1 storage root in the bucket")
            return copy
        found = next((p.parent for p in self.data.rglob("0=ocfl_1.1")), None)
        hold(found, f"no OCFL 1.1 storage root below the data folder ({sorted(p.name for p in self.data.iterdir())})")
        return found

    def _new_prefix(self):
        import bucket

        endpoint = os.environ.get("KHO_TEST_S3_ENDPOINT") or skip("KHO_TEST_S3_ENDPOINT names no S3 server")
        bucket.make(bucket.client())
        self.prefix = f"{os.getpid()}-{time.time_ns()}"
        self.env |= {
            "KHO_STORAGE_URL": f"s3://{bucket.NAME}/{self.prefix}",
            "KHO_S3_ENDPOINT": endpoint,
            "KHO_S3_PATH_STYLE": "true",
        }

    def _drop_prefix(self):
        if self.prefix and not os.environ.get("KHO_KEEP"):
            import bucket

            bucket.empty(f"{self.prefix}/")

    def _new_database(self):
        server = os.environ.get("KHO_TEST_POSTGRES_URL") or skip("KHO_TEST_POSTGRES_URL names no PostgreSQL")
        self.database_name = f"kho_outside_{os.getpid()}_{int(time.time() * 1000) % 10**9}"
        self._psql(f"create database {self.database_name}")
        return urllib.parse.urlsplit(server)._replace(path=f"/{self.database_name}").geturl()

    def _drop_database(self):
        if self.database == "postgres":
            self._psql(f"drop database if exists {self.database_name} with (force)")

    @staticmethod
    def _psql(statement):
        done = subprocess.run(["psql", "-qX", "-d", os.environ["KHO_TEST_POSTGRES_URL"], "-c", statement], capture_output=True, text=True)
        hold(done.returncode == 0, f"psql: {done.stderr.strip()}")


PASSWORD = "thuyền nan qua sông 27"


@contextlib.contextmanager
def a_server():
    """The server that runs at KHO_URL, else one of our own."""
    url = os.environ.get("KHO_URL")
    if url:
        yield Api(url.rstrip("/"), os.environ.get("KHO_TOKEN") or skip("KHO_URL without KHO_TOKEN"))
    else:
        with Server() as server:
            yield server

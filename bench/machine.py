"""What a measurement stands on: this machine, a Kho and an nginx on it, and numbers that can be compared.

Only the standard library; wrk and curl make the load, so that the client is not what is measured.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse

KEEP_TRYING = 120


def median(numbers):
    return statistics.median(numbers) if numbers else float("nan")


def describe():
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown CPU")
    memory = int(next(l.split()[1] for l in open("/proc/meminfo") if l.startswith("MemTotal"))) // (1 << 20)
    fast = " with SHA-NI" if "sha_ni" in open("/proc/cpuinfo").read() else ""
    load = open("/proc/loadavg").read().split()[0]
    return f"{os.cpu_count()} × {cpu}{fast}, {memory} GiB, Linux {os.uname().release}; load before {load}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def anonymous(pid):
    """MiB that a process holds for itself; what it has mapped from files is the kernel's to take back."""
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def fsync_ms(folder):
    """What one small durable write costs here: create, sync, rename, sync the folder."""
    taken = []
    for n in range(40):
        began = time.perf_counter()
        handle = os.open(folder / "t", os.O_CREAT | os.O_WRONLY)
        os.write(handle, b"x" * 4096)
        os.fsync(handle)
        os.close(handle)
        os.rename(folder / "t", folder / f"fsync-{n}")
        directory = os.open(folder, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        taken.append((time.perf_counter() - began) * 1e3)
        os.unlink(folder / f"fsync-{n}")
    return median(taken)


class Kho:
    def __init__(self, binary, data):
        self.binary, self.data = str(pathlib.Path(binary).resolve()), data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("KHO_") or k == "KHO_DATABASE_URL"}
        self.env = inherited | {"KHO_DATA": str(data), "KHO_LISTEN": f"127.0.0.1:{self.port}", "KHO_LOG": "error"}
        self.process = None
        self.local = threading.local()

    def start(self, ready="/healthz"):
        """Starts, and gives the milliseconds until `ready` was answered well."""
        self.local = threading.local()
        with open(self.data.with_suffix(".log"), "ab") as log:
            began = time.perf_counter()
            self.process = subprocess.Popen([self.binary, "serve"], env=self.env, stdout=log, stderr=log)
        while not answers(self.port, ready):
            if self.process.poll() is not None or time.perf_counter() - began > KEEP_TRYING:
                raise SystemExit(f"kho serve gives no answer at {ready}: see {self.data.with_suffix('.log')}")
            time.sleep(0.001)
        return (time.perf_counter() - began) * 1e3

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            self.process.kill()
            self.process.wait()

    def run(self, *words, stdin=None):
        return subprocess.run([self.binary, *words], env=self.env, input=stdin, text=True, capture_output=True, check=True).stdout.strip()

    def account(self, email):
        self.run("user", "create", "--email", email, "--name", "Bench", "--role", "depositor", "--password-stdin", stdin="a bench is to sit on\n")
        return self.run("token", "create", "--email", email, "--name", "bench")

    def call(self, method, path, token=None, body=None, want=None):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/octet-stream" if isinstance(body, bytes) else "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.will_close:
            self.local.connection = None
        if want and answer.status != want:
            raise SystemExit(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content


class Nginx:
    """The peer: files from a folder, and WebDAV PUT into it. Nothing is logged, nothing is hashed, nothing is synced."""

    def __init__(self, folder):
        self.folder, self.root = folder, folder / "root"
        self.root.mkdir(parents=True)
        (folder / "bodies").mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"""{user} worker_processes auto; pid {folder}/pid; error_log {folder}/error.log; daemon off;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type text/plain;
                open_file_cache max=20000 inactive=60s; client_max_body_size 0;
                client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
                uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
                server {{
                    listen 127.0.0.1:{self.port}; root {self.root};
                    location / {{ dav_methods PUT DELETE; create_full_put_path on; }}
                }}
            }}"""
        )
        self.process = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
        (self.root / "ready").write_text("yes")
        for _ in range(2000):
            if answers(self.port, "/ready"):
                return
            time.sleep(0.005)
        raise SystemExit(f"nginx does not start: {(folder / 'error.log').read_text()[-300:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def answers(port, path):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            s.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            return s.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


def wrk(url, paths, seconds, connections=16, headers=()):
    """Requests per second over these paths in random order; every answer must be 2xx."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        listed = ",".join(f"'{p}'" for p in paths)
        fields = "".join(f"['{k}']='{v}'," for k, v in headers)
        script.write(
            f"local paths={{{listed}}}\nlocal ready={{}}\n"
            f"init=function() math.randomseed(27); for i,p in ipairs(paths) do ready[i]=wrk.format('GET',p,{{{fields}}}) end end\n"
            "request=function() return ready[math.random(#ready)] end\n"
        )
        script.flush()
        said = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script.name, url], capture_output=True, text=True
        ).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"wrk {url}: {said}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def curl(*words):
    """Seconds that one transfer took, the status of its answer checked."""
    began = time.perf_counter()
    status = subprocess.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", *words], capture_output=True, text=True).stdout
    taken = time.perf_counter() - began
    if not status.startswith("2"):
        raise SystemExit(f"curl {words[-1]}: {status}")
    return taken


def interleaved(rounds, **sides):
    """Each side once a round, so that what the machine does beside it falls on all; the medians."""
    seen = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            seen[name].append(measure())
    return {name: median(numbers) for name, numbers in seen.items()}


def have(*programs):
    return all(shutil.which(p) for p in programs)


def harvest(port, first, following):
    """A whole harvest on one connection: records, seconds, and what each page took and held."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    path, records, pages = first, 0, []
    began = time.perf_counter()
    while path:
        asked = time.perf_counter()
        connection.request("GET", path)
        body = connection.getresponse().read()
        pages.append((time.perf_counter() - asked, body))
        records += body.count(b"<header")
        path = following(body, len(pages))
    return records, time.perf_counter() - began, pages


def next_token(body, _):
    token = re.search(rb"<resumptionToken[^>]*>([^<]+)<", body[-2000:])
    return token and "/oai2d?verb=ListRecords&resumptionToken=" + urllib.parse.quote(token[1].decode())

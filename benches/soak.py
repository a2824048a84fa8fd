"""A long run of `rehook shim` with real clients while everything around it misbehaves:
`python3 benches/soak.py [--minutes 10] [--rehook PATH]`.

Clients: `http.client` on kept connections, curl, senders that pipeline, that send chunks slowly, and that
leave early. Meanwhile the agent is killed and started again, the shim is stopped and started again on
sockets that stay open (as systemd keeps them), the route map is rewritten, nobody reads the log for a
while, and no file of the shim can grow over a size, as on a full disk.

What has to hold, checked by delivery id at the end:
- Who was told 2xx has been served, once. Nothing reaches the agent twice.
- What was not served was in the hands of an agent that was killed; its sender was told, and the log has a
  line of it, or says that so many lines are missing.
- No connection is refused. Files that could not grow have no half line.

Everything is on loopback, below a temporary folder, and ends by itself. Exit code 1 if something does not
hold. The shim is not restarted while nobody reads its log: what waits then is lost with it.
"""

import argparse
import collections
import contextlib
import dataclasses
import http.client
import http.server
import json
import os
import pathlib
import random
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The largest file that the shim can write.
DISK = 512 * 1024
# How long nobody reads the log, so that its buffer of 1 MiB is full.
STALL = 60.0
ROUTES = 12
# A reply that never came because the connection had ended; a sender that knows it can send again.
NOTHING = 0


# --- The agent ------------------------------------------------------------------------------------


class Answer(http.server.BaseHTTPRequestHandler):
    """Notes what has arrived and what was answered, so that a kill shows what was in hand."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    notes = -1

    def do_POST(self) -> None:
        if self.headers.get("transfer-encoding"):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        delivery = self.headers["x-github-delivery"]
        # One write to a file that is only appended to: lines of a process that is killed stay whole.
        os.write(self.notes, f"received {delivery} {len(body)}\n".encode())
        time.sleep(random.choice([0, 0, 0.002, 0.01, 0.1]))
        reply = json.dumps({"delivery": delivery}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Threads(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        pass


def agent(port: int, notes: str) -> None:
    Answer.notes = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    Threads(("127.0.0.1", port), Answer).serve_forever()


# --- The senders ----------------------------------------------------------------------------------


@dataclasses.dataclass
class Told:
    """What senders were told of each delivery, and what went wrong besides."""

    statuses: dict[str, int] = dataclasses.field(default_factory=dict)
    # Senders that left by themselves.
    left: set[str] = dataclasses.field(default_factory=set)
    refused: int = 0
    # Deliveries that got nothing and were sent again under another name, as a new one.
    kinds: collections.Counter = dataclasses.field(default_factory=collections.Counter)


class Senders:
    def __init__(self, port: int):
        self.port = port
        self.told = Told()
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.number = 0
        kinds = [self.kept, self.kept, self.kept, self.kept, self.curl]
        kinds += [self.pipelined, self.slow, self.leaving]
        self.threads = [
            threading.Thread(target=self.guarded, args=(kind,), daemon=True) for kind in kinds
        ]

    def guarded(self, kind) -> None:
        while not self.stop.is_set():
            try:
                kind()
            except ConnectionRefusedError:
                self.told.refused += 1
            except OSError as error:
                print(f"{kind.__name__}: {error!r}", file=sys.stderr)

    def name(self, kind: str) -> str:
        with self.lock:
            self.number += 1
            self.told.kinds[kind] += 1
            return f"{kind}-{self.number}"

    def head(self, delivery: str, framing: str) -> bytes:
        path = f"/api/webhook/e{random.randrange(ROUTES)}"
        return (
            f"POST {path} HTTP/1.1\r\nHost: old.example\r\nX-GitHub-Delivery: {delivery}\r\n"
            f"X-GitHub-Event: soak\r\n{framing}\r\n\r\n"
        ).encode()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def kept(self) -> None:
        """Many deliveries on one connection, through the standard library."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.connect()
        for _ in range(random.randrange(1, 200)):
            delivery = self.name("kept")
            body = os.urandom(random.choice([10, 200, 5_000, 100_000]))
            headers = {"X-GitHub-Delivery": delivery, "X-GitHub-Event": "soak"}
            path = f"/api/webhook/e{random.randrange(ROUTES)}"
            try:
                connection.request("POST", path, body, headers)
                reply = connection.getresponse()
                reply.read()
                self.told.statuses[delivery] = reply.status
            except ConnectionRefusedError:
                raise
            except (http.client.HTTPException, OSError):
                self.told.statuses[delivery] = NOTHING
                break
            if self.stop.is_set() or reply.will_close:
                break
        connection.close()

    def curl(self) -> None:
        delivery = self.name("curl")
        url = f"http://127.0.0.1:{self.port}/api/webhook/e{random.randrange(ROUTES)}"
        command = ["curl", "-sS", "-m", "60", "-o", os.devnull, "-w", "%{http_code}", "-d", "a=1"]
        command += ["-H", f"X-GitHub-Delivery: {delivery}", url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 7:
            raise ConnectionRefusedError
        self.told.statuses[delivery] = int(done.stdout or 0) if done.returncode == 0 else NOTHING

    def pipelined(self) -> None:
        """Several at once; what has no reply when the connection ends was told nothing."""
        deliveries = [self.name("pipelined") for _ in range(5)]
        for delivery in deliveries:
            self.told.statuses[delivery] = NOTHING
        with self.connect() as stream:
            stream.sendall(b"".join(self.head(d, "Content-Length: 2") + b"{}" for d in deliveries))
            replies = stream.makefile("rb")
            for delivery in deliveries:
                with contextlib.suppress(OSError):
                    status = read_reply(replies)
                    if status is None:
                        break
                    self.told.statuses[delivery] = status

    def slow(self) -> None:
        """Chunks with pauses, so that a restart meets half a body."""
        delivery = self.name("slow")
        self.told.statuses[delivery] = NOTHING
        with self.connect() as stream, contextlib.suppress(OSError):
            stream.sendall(self.head(delivery, "Transfer-Encoding: chunked"))
            for _ in range(5):
                time.sleep(random.random() * 0.3)
                stream.sendall(b"5\r\nhello\r\n")
            stream.sendall(b"0\r\n\r\n")
            self.told.statuses[delivery] = read_reply(stream.makefile("rb")) or NOTHING

    def leaving(self) -> None:
        """Leaves before the reply: nobody can be told."""
        delivery = self.name("leaving")
        self.told.left.add(delivery)
        with self.connect() as stream:
            stream.sendall(self.head(delivery, "Content-Length: 2") + b"{}")
        time.sleep(0.02)


def read_reply(lines) -> int | None:
    """The status of the next reply; none when the connection has ended."""
    first = lines.readline()
    if not first.endswith(b"\n"):
        return None
    length = 0
    while (line := lines.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(first.split()[1]) if len(lines.read(length)) == length else None


# --- What is around -------------------------------------------------------------------------------


class World:
    def __init__(self, folder: pathlib.Path, rehook: pathlib.Path):
        self.folder = folder
        self.rehook = rehook
        self.notes = folder / "notes"
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.admin = socket.create_server(("127.0.0.1", 0))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.agent_port = free.getsockname()[1]
        self.log = bytearray()
        self.reading = threading.Event()
        self.reading.set()
        self.happened: collections.Counter = collections.Counter()
        self.peak = 0
        self.readers: list[threading.Thread] = []
        self.write_map(0)
        (folder / "shim.toml").write_text(
            f'upstream = "http://127.0.0.1:{self.agent_port}"\nroutes = "routes.toml"\n'
            'upstream_check = false\nlog = "json"\ncounters_file = "counts.json"\n'
        )
        self.start_agent()
        self.start_shim()

    def write_map(self, more: int) -> None:
        routes = ["version = 1\n"]
        for number in range(ROUTES + more):
            routes.append(
                f'[[route]]\nplugin = "soak.p{number}"\nendpoint = "e{number}"\n'
                f'dialect = "context"\nmethods = ["POST"]\n'
                f'target = "/plugins/soak.p{number}/e{number}"\n'
                f'legacy = ["/api/webhook/e{number}"]\n'
            )
        text = "\n".join(routes)
        path = self.folder / "routes.toml"
        if more % 2:
            # In place, in two parts: what is between them must not be taken over.
            with path.open("w") as file:
                file.write(text[: len(text) // 2])
                file.flush()
                time.sleep(0.3)
                file.write(text[len(text) // 2 :])
        else:
            (self.folder / "new").write_text(text)
            (self.folder / "new").replace(path)

    def start_agent(self) -> None:
        command = [sys.executable, __file__, "agent", str(self.agent_port), str(self.notes)]
        self.agent = subprocess.Popen(command)

    def restart_agent(self) -> None:
        self.happened["agent killed"] += 1
        self.agent.kill()
        self.agent.wait()
        time.sleep(random.uniform(0.2, 3))
        self.start_agent()

    def start_shim(self) -> None:
        # The sockets are passed as systemd passes them; a full disk is a limit of the size of files.
        script = (
            "trap '' XFSZ; ulimit -f \"$1\"; shift; exec 3<&0 4<&1 </dev/null >/dev/null; "
            'LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=listen:admin exec "$@"'
        )
        command = ["sh", "-c", script, "sh", str(DISK // 512), str(self.rehook)]
        command += ["--lang", "en", "shim", "--config", "shim.toml", "--record", "recorded.jsonl"]
        self.shim = subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=self.listening,
            stdout=self.admin,
            stderr=subprocess.PIPE,
        )
        reader = threading.Thread(target=self.read_log, args=(self.shim.stderr,), daemon=True)
        reader.start()
        self.readers.append(reader)

    def read_log(self, pipe) -> None:
        while True:
            self.reading.wait()
            part = os.read(pipe.fileno(), 1 << 16)
            if not part:
                return
            self.log += part

    def memory(self) -> None:
        with contextlib.suppress(OSError, StopIteration):
            lines = pathlib.Path(f"/proc/{self.shim.pid}/status").read_text().splitlines()
            line = next(line for line in lines if line.startswith("VmHWM:"))
            self.peak = max(self.peak, int(line.split()[1]))

    def restart_shim(self) -> None:
        self.happened["shim restarted"] += 1
        self.memory()
        self.shim.terminate()
        if self.shim.wait(timeout=60) != 0:
            self.happened["shim ended badly"] += 1
        self.start_shim()

    def stall_log(self, seconds: float) -> None:
        self.happened["log stalled"] += 1
        self.reading.clear()
        time.sleep(seconds)
        self.reading.set()

    def reload(self) -> None:
        self.happened["map rewritten"] += 1
        self.write_map(random.randrange(6))
        if random.random() < 0.3:
            self.shim.send_signal(signal.SIGHUP)

    def end(self) -> None:
        self.reading.set()
        self.memory()
        self.shim.terminate()
        self.shim.wait(timeout=60)
        for reader in self.readers:
            reader.join(timeout=60)
        self.agent.kill()
        self.agent.wait()


# --- What has to hold -----------------------------------------------------------------------------


def missing_lines(events: list[str]) -> int:
    """How many lines the log says that it lacks."""
    marker = " lines of the log are missing here"
    return sum(int(event.split(marker)[0].split()[-1]) for event in events if marker in event)


def judge(world: World, told: Told) -> list[str]:
    received = collections.Counter()
    for line in world.notes.read_text().splitlines():
        received[line.split()[1]] += 1
    faults, figures = [], collections.Counter()
    lines, events = collections.defaultdict(list), []
    for line in world.log.decode(errors="replace").splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            faults.append(f"the log has a line that is not JSON: {line[:80]}")
            continue
        if "event" in value and "path" not in value:
            events.append(value["event"])
        else:
            lines[value.get("delivery")].append(value)
    lacks = missing_lines(events)
    unlogged = 0
    for delivery, count in received.items():
        if count > 1:
            faults.append(f"{delivery} reached the agent {count} times")
    for delivery, status in told.statuses.items():
        figures[f"told {status or 'by the end of the connection'}"] += 1
        was_there = received[delivery] > 0
        if 200 <= status < 300:
            if not was_there:
                faults.append(f"{delivery} was told {status} and never reached the agent")
            continue
        if status == NOTHING:
            # The sender knows that nobody answered. It may send again only if nobody was called.
            if was_there:
                figures["no reply, and the agent had it"] += 1
                if not lines[delivery]:
                    unlogged += 1
            continue
        reasons = {line.get("reason") for line in lines[delivery]}
        if not lines[delivery]:
            unlogged += 1
        elif status == 502 and reasons != {"broke_off"}:
            faults.append(f"{delivery}: {status} for {reasons}")
        elif status != 502:
            faults.append(f"{delivery}: {status} for {reasons}, and the agent was back in time")
    if unlogged > lacks:
        faults.append(f"{unlogged} losses are not in the log, which says that {lacks} lines lack")
    if told.refused:
        faults.append(f"{told.refused} connections were refused")
    if world.happened["shim ended badly"]:
        faults.append("the shim ended with another code than 0")
    for line in (world.folder / "recorded.jsonl").read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n") or not json.loads(line):
            faults.append("the record has half a line")
    json.loads((world.folder / "counts.json").read_text())
    if not any("recorded" in event or "record" in event for event in events):
        faults.append("the log says nothing of the full disk")
    print(f"deliveries: {sum(told.kinds.values())} {dict(told.kinds)}")
    print(f"told: {dict(sorted(figures.items()))}; left by themselves: {len(told.left)}")
    print(f"around: {dict(world.happened)}; refused connections: {told.refused}")
    print(f"log: {sum(map(len, lines.values()))} lines, {lacks} said to be missing;", end=" ")
    print(f"losses without a line: {unlogged}; most memory: {world.peak} KiB")
    return faults


def soak(minutes: float, rehook: pathlib.Path) -> int:
    with tempfile.TemporaryDirectory() as name:
        world = World(pathlib.Path(name), rehook)
        senders = Senders(world.listening.getsockname()[1])
        for thread in senders.threads:
            thread.start()
        end = time.monotonic() + minutes * 60
        next_stall = time.monotonic() + minutes * 20
        try:
            while (now := time.monotonic()) < end:
                time.sleep(random.uniform(0.5, 4))
                if now > next_stall:
                    next_stall = now + minutes * 20
                    threading.Thread(target=world.stall_log, args=(STALL,), daemon=True).start()
                disturb = random.choice([world.restart_agent, world.restart_shim, world.reload])
                if disturb != world.restart_shim or world.reading.is_set():
                    disturb()
            senders.stop.set()
            for thread in senders.threads:
                thread.join(timeout=90)
        finally:
            world.end()
        faults = judge(world, senders.told)
    for fault in faults[:50]:
        print(f"FAULT: {fault}")
    print("the soak FAILED" if faults else "the soak passed")
    return 1 if faults else 0


def main() -> int:
    if sys.argv[1:2] == ["agent"]:
        agent(int(sys.argv[2]), sys.argv[3])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rehook", type=pathlib.Path, default=ROOT / "target/release/rehook")
    arguments = parser.parse_args()
    return soak(arguments.minutes, arguments.rehook.resolve())


if __name__ == "__main__":
    sys.exit(main())

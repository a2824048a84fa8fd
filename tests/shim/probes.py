"""Measures what other servers do with the probes of `probes.txt`, and writes it there:
`python3 tests/shim/probes.py`. The shim's column is not touched: it is what `probes.rs` asserts.

Each server stands before an agent that notes what reaches it. A result is the statuses of the replies,
joined by `+` (`-` for none within 0.6 s), and behind `/` how many requests reached the agent.
"""

import concurrent.futures
import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

TABLE = pathlib.Path(__file__).with_name("probes.txt")
PATIENCE = 0.6
TARGET = "/plugins/KroMiose.github/github"

NGINX = """daemon off; pid nginx.pid; error_log stderr crit; events {{}}
http {{ access_log off; client_body_temp_path body; proxy_temp_path proxy;
 fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
 server {{ listen 127.0.0.1:{open}; location / {{ proxy_pass http://127.0.0.1:{agent}; }} }}
 server {{ listen 127.0.0.1:{guarded}; location / {{ proxy_pass http://127.0.0.1:{agent}; }}
  location = {target} {{ return 401; }} location = /api/webhook/github {{ return 401; }} }} }}"""
HAPROXY = """defaults
 mode http
 timeout connect 5s
 timeout client 5s
 timeout server 5s
frontend open
 bind 127.0.0.1:{open}
 default_backend agent
frontend guarded
 bind 127.0.0.1:{guarded}
 http-request deny deny_status 401 if {{ path {target} }} or {{ path /api/webhook/github }}
 default_backend agent
backend agent
 server agent 127.0.0.1:{agent}
"""
CADDY = """{{
 admin off
 auto_https off
}}
http://:{open} {{
 bind 127.0.0.1
 reverse_proxy 127.0.0.1:{agent}
}}
http://:{guarded} {{
 bind 127.0.0.1
 respond {target} 401
 respond /api/webhook/github 401
 reverse_proxy 127.0.0.1:{agent}
}}
"""


def decoded(raw: str) -> bytes:
    """The bytes of a probe: `\\r`, `\\n`, `\\t`, `\\xNN`, and `\\{part*number}` for a part repeated."""
    raw = re.sub(r"\\\{(.*?)\*(\d+)\}", lambda m: m[1] * int(m[2]), raw)
    named = {"r": b"\r", "n": b"\n", "t": b"\t"}
    out = b""
    for part in re.split(r"(\\x[0-9a-f]{2}|\\[rnt])", raw):
        if part.startswith("\\x"):
            out += bytes([int(part[2:], 16)])
        elif part.startswith("\\"):
            out += named[part[1]]
        else:
            out += part.encode()
    return out


class Agent:
    """Answers 200 to whatever looks like a request, and counts it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.seen = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            stream, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream: socket.socket) -> None:
        lines = stream.makefile("rb")
        try:
            while first := lines.readline():
                headers = {}
                while (line := lines.readline().strip()) != b"":
                    name, _, value = line.partition(b":")
                    headers[name.lower()] = value.strip()
                if b" /api/health " in first:
                    pass
                elif b"chunked" in headers.get(b"transfer-encoding", b"").lower():
                    while size := int(lines.readline().split(b";")[0], 16):
                        lines.read(size + 2)
                    while lines.readline().strip():
                        pass
                    self.seen += 1
                else:
                    length = int(headers.get(b"content-length", b"0"))
                    if len(lines.read(length)) < length:
                        return
                    self.seen += 1
                stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (OSError, ValueError, OverflowError):
            return


def statuses(stream: socket.socket) -> str:
    reply = b""
    stream.settimeout(PATIENCE)
    try:
        while part := stream.recv(65_536):
            reply += part
    except OSError:
        pass
    found = re.findall(rb"HTTP/1\.[01] (\d\d\d)", reply)
    found = [status.decode() for status in found if status != b"100"]
    return "+".join(found) or ("0.9" if reply else "-")


def probe(agent: Agent, port: int, raw: bytes) -> str:
    agent.seen = 0
    with socket.create_connection(("127.0.0.1", port)) as stream:
        with contextlib.suppress(OSError):
            stream.sendall(raw)
        said = statuses(stream)
    time.sleep(0.02)
    return f"{said}/{agent.seen}"


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def measure(name: str, probes: list[tuple[str, bytes]]) -> list[str]:
    template, command = {
        "nginx": (NGINX, ["nginx", "-p", "{folder}", "-c", "{file}"]),
        "haproxy": (HAPROXY, ["haproxy", "-f", "{file}"]),
        "caddy": (CADDY, ["caddy", "run", "--adapter", "caddyfile", "--config", "{file}"]),
    }[name]
    program = shutil.which(name, path="/usr/sbin:/usr/bin:/bin")
    if program is None:
        raise SystemExit(f"{name} is not installed")
    agent = Agent()
    ports = {"open": free(), "guarded": free()}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "config")
        file.write_text(template.format(agent=agent.port, target=TARGET, **ports))
        words = [word.format(folder=folder, file=file) for word in command]
        server = subprocess.Popen([program, *words[1:]], stderr=subprocess.DEVNULL)
        try:
            for port in ports.values():
                while True:
                    try:
                        socket.create_connection(("127.0.0.1", port)).close()
                        break
                    except OSError:
                        if server.poll() is not None:
                            raise SystemExit(f"{name} does not start") from None
                        time.sleep(0.05)
            return [probe(agent, ports[where], raw) for where, raw in probes]
        finally:
            server.terminate()
            server.wait()


def main() -> None:
    names = ["nginx", "haproxy", "caddy"]
    lines = TABLE.read_text().splitlines()
    where, probes, places = "open", [], []
    for number, line in enumerate(lines):
        if line.startswith("["):
            where = line.strip("[]")
        elif line and not line.startswith("#"):
            probes.append((where, decoded(line.split(" | ", 2)[2])))
            places.append(number)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        columns = list(pool.map(lambda name: measure(name, probes), names))
    for number, results in zip(places, zip(*columns, strict=True), strict=True):
        told, name, raw = lines[number].split(" | ", 2)
        cells = [told.split()[0], *results]
        lines[number] = "".join(f"{cell:<10}" for cell in cells) + f"| {name} | {raw}"
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

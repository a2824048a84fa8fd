"""HTTP/1.1 as bytes on a connection: a request exactly as it is, and the reply to it.

Why not a client library: it would put headers together, change their case, encode what is no UTF-8,
and add headers of its own; what is looked at here is what becomes of the bytes.
"""

import _socket
import asyncio
import socket
from urllib.parse import quote

from cases import Unusable

from _rehook_runner.model.message import HOST, Reply, Request

# Whom the shim calls: the port is the system's choice, and is not compared.
AGENT = "127.0.0.1:1"

# A head of a reply is smaller.
LARGEST_HEAD = 1 << 20


def tcp() -> socket.socket:
    """A socket that is known to be TCP's: on others asyncio leaves small writes waiting for what the
    other side acknowledges late, 40 ms for a reply."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


class Sender:
    """Sends requests one after another, on one connection as long as the other side keeps it."""

    def __init__(self, port: int):
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def send(self, url: str, request: Request) -> Reply:
        if self.writer is None:
            connection = tcp()
            # The method of `socket.socket` itself is what plugins are kept off the network with.
            _socket.socket.connect(connection, ("127.0.0.1", self.port))
            self.reader, self.writer = await asyncio.open_connection(
                sock=connection, limit=LARGEST_HEAD
            )
        self.writer.write(to_bytes(url, request))
        try:
            reply = await read(self.reader, request.method)
        except (asyncio.IncompleteReadError, OSError, ValueError) as error:
            raise Unusable(f"no reply to {request.shown()!r} at {url}: {error!r}") from error
        if "close" in reply.values("connection"):
            self.writer.close()
            self.reader = self.writer = None
        return reply


def to_bytes(url: str, request: Request) -> bytes:
    """The request as it goes over the wire: nothing is added but where it goes and its length."""
    target = quote(url).encode() + (b"?" + request.query if request.query else b"")
    lines = [
        b"%s %s HTTP/1.1" % (request.method.encode(), target),
        b"Host: " + HOST.encode(),
        *(name + b": " + value for name, value in request.headers),
    ]
    if request.body:
        lines.append(b"Content-Length: %d" % len(request.body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + request.body


async def read(reader: asyncio.StreamReader, method: str) -> Reply:
    """The reply to a request with this method."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    reply = Reply(int(first.split(" ")[1]))
    for line in lines:
        name, _, value = line.partition(":")
        reply.headers.append((name.lower(), value.strip()))
    if method == "HEAD" or reply.status in (204, 304):
        return reply
    if reply.values("transfer-encoding") == ["chunked"]:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            reply.body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
    else:
        [length] = reply.values("content-length")
        reply.body = await reader.readexactly(int(length))
    return reply

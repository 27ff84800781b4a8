"""A server that answers as a test tells it to, on a port of its own or on a unix socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager


def http(body=b"{}", *, status=200, content_type="application/json", close=False):
    """Return the bytes of an answer."""
    head = f"HTTP/1.1 {status} Told\r\nContent-Type: {content_type}\r\n"
    head += f"Content-Length: {len(body)}\r\n" + ("Connection: close\r\n" if close else "")
    return head.encode() + b"\r\n" + body


class Answering:
    """Answers every request with what `answer` returns for its body: pieces of bytes.

    None between two pieces lets what was sent before arrive; an exception hangs up.
    """

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.connections = 0
        self.port = 0
        self._writers = []

    async def __call__(self, reader, writer):
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append((lines[0], headers, body))
                for piece in self.answer(body):
                    if piece is None:
                        await writer.drain()
                        await asyncio.sleep(0.01)
                    else:
                        writer.write(piece)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, EOFError):
            pass
        finally:
            writer.close()

    def hang_up(self):
        """Close all connections."""
        for each in self._writers:
            each.close()


@asynccontextmanager
async def answering(answer, *, socket=None):
    """Serve; give the server."""
    served = Answering(answer)
    if socket is None:
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        served.port = server.sockets[0].getsockname()[1]
    else:
        server = await asyncio.start_unix_server(served, str(socket))
    try:
        yield served
    finally:
        server.close()
        served.hang_up()
        await server.wait_closed()

"""A worker that can be killed: `python worker.py SOCKET` echoes bodies, after `X-Wait` of them.

A body of digits is a number of milliseconds to take over the answer.
"""

from __future__ import annotations

import asyncio
import sys


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            break
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = await reader.readexactly(length)
        if body.isdigit():
            await asyncio.sleep(int(body) / 1000)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    writer.close()


async def main() -> None:
    server = await asyncio.start_unix_server(serve, sys.argv[1], backlog=256)
    await server.serve_forever()


asyncio.run(main())

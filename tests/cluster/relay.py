"""Carries connections from the machine's network into the cluster's: `python -m tests.cluster.relay FD HOST PORT`.

FD is a listening socket that was opened outside and inherited. A socket stays in the network where it was opened, so
this process, though it runs inside, accepts outside.
"""

import asyncio
import socket
import sys
from contextlib import suppress


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def relay(listener: socket.socket, host: str, port: int) -> None:
    """Connect everything that the listener accepts to the address, for ever."""

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
        else:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    server = await asyncio.start_server(accepted, sock=listener)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], int(sys.argv[3])))

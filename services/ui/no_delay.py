"""The console's answers leave at once.

Streamlit opens its port by a socket that does not name TCP, so asyncio leaves Nagle's algorithm on: a small packet
after another waits until the browser has acknowledged the first, up to 40 ms. An answer's body follows its head, and
what a page draws comes in a hundred messages.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from stat import S_ISSOCK


@asynccontextmanager
async def without_delay(_: object) -> AsyncIterator[None]:
    """The lifespan of the web application: it begins when the port is open and no browser is connected yet."""
    send_at_once()
    yield


def send_at_once() -> None:
    """Let the ports that this process listens at hold nothing back; connections inherit that from their port."""
    for number in map(int, os.listdir("/dev/fd")):
        with suppress(OSError):
            if S_ISSOCK(os.fstat(number).st_mode):
                _let_go(number)


def _let_go(number: int) -> None:
    with socket.socket(fileno=os.dup(number)) as each:
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

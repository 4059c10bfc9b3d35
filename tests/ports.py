"""Ports for servers that tests start."""

import random
import socket
from contextlib import suppress

HOST = "127.0.0.1"
RANGE = range(15_000, 32_000)
"""Below the ports that the kernel gives to outgoing connections, which could take one before its server listens."""


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, drawn at random, so that tests side by side hardly ever draw the same."""
    found: set[int] = set()
    while len(found) < count:
        number = random.SystemRandom().choice(RANGE)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, number))
            found.add(number)
    return list(found)

"""Whether this server is going down: set at the first signal, seen by everything that waits or runs a process."""

import threading

stopping = threading.Event()
"""Once set, nothing new starts, what runs is interrupted, and held requests are answered."""

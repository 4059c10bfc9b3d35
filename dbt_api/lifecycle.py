"""Whether this process is going down: seen by everything that waits or runs a process."""

import threading

draining = threading.Event()
"""Set at the first signal: no more work is taken, and the server is not ready any more. What runs goes on."""

stopping = threading.Event()
"""Set when the drain time is over: nothing new starts, what runs is interrupted, and held requests are answered."""

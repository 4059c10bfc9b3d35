"""Progress lines on the terminal, with the seconds since the start."""

import time


class Progress:
    """Says what happens, as it happens."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._has_said_once = False

    @property
    def seconds(self) -> float:
        """Since this object was made."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """Print one line, at once."""
        print(f"[{self.seconds:6.1f} s] {text}", flush=True)

    def say_once(self, text: str) -> None:
        """Say it the first time only."""
        if not self._has_said_once:
            self._has_said_once = True
            self.say(text)

"""The root zygote: `python -I dbt_api/zygote/__main__.py <socket descriptor>`, in dbt's environment."""

import signal
import socket
import sys
from pathlib import Path

HOME = str(Path(__file__).resolve().parents[2])


def main(channel: socket.socket) -> None:
    """Import and use dbt, say whether forking is safe, and fork until the server is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.path.append(HOME)  # last, and only for these imports: dbt shall see nothing of ours
    import dbt_api.zygote.fork_context  # noqa: F401
    from dbt_api.zygote import patches, serving, warming

    sys.path.remove(HOME)
    try:
        patches.apply()
        warming.warm()
        serving.check_safe_to_fork()
    except Exception as error:
        serving.say(channel, {"ready": False, "reason": f"{type(error).__name__}: {error}"})
        return
    serving.say(channel, {"ready": True})
    serving.serve(channel)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))

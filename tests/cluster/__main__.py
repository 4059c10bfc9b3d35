"""`python3 -m tests.cluster`: a real single-node Kubernetes by hand, for developers. Run from the repository's root.

`up` keeps it running until Ctrl-C, `up --detach` until `down`.
"""

import argparse
import os
import shutil
import signal
import sys

from deploy.images import debian
from stack.problems import Problem
from stack.progress import Progress
from tests.cluster import images
from tests.cluster.clusters import OwnCluster, clean_up


def up(cluster: OwnCluster, options: argparse.Namespace) -> int:
    """Start it and say how to use it."""
    progress = Progress()
    cluster.start(progress.say, outlives_us=options.detach)
    progress.say("ready")
    names = f"{images.BUSYBOX_IMAGE} {images.DBT_IMAGE} {images.DBT_EXAMPLE_IMAGE}"
    print(f"KUBECONFIG={cluster.kubeconfig}\nimages: {names} (imagePullPolicy: Never)", flush=True)
    if not options.detach:
        try:
            signal.pause()
        except KeyboardInterrupt:
            progress.say("stopping")
        finally:
            cluster.stop()
    return 0


def down(cluster: OwnCluster, _options: argparse.Namespace) -> int:
    """Stop it, and clean up after any other that has crashed."""
    cluster.stop()
    clean_up()
    return 0


def status(cluster: OwnCluster, _options: argparse.Namespace) -> int:
    """Say whether it runs. The exit status is 0 if so, otherwise 1."""
    pid = cluster.pid()
    if not pid:
        print("The cluster does not run.")
        return 1
    stopped = sorted(path.name for path in cluster.folders.stopped.iterdir())
    print(f"The cluster runs (process {pid}): KUBECONFIG={cluster.kubeconfig}")
    print(f"logs: {cluster.folders.logs}")
    print(f"held: {', '.join(stopped) or 'nothing'}")
    return 0


def hold(cluster: OwnCluster, options: argparse.Namespace) -> int:
    """Kill one of its processes, e.g. kube-apiserver, and keep it stopped."""
    cluster.hold(options.component)
    return 0


def release(cluster: OwnCluster, options: argparse.Namespace) -> int:
    """Let a held process run again."""
    cluster.release(options.component)
    return 0


def kubectl(cluster: OwnCluster, options: argparse.Namespace) -> int:
    """Become kubectl, as the cluster's administrator."""
    if not shutil.which("kubectl"):
        debian.require()
        debian.install(["kubernetes-client"])
    os.environ["KUBECONFIG"] = str(cluster.kubeconfig)
    os.execvp("kubectl", ["kubectl", *options.words])


def main() -> int:
    """Run one command. Returns its exit status; 2 means that something must be put right first."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.cluster", description=__doc__)
    parser.add_argument("--name", default="main", help="one of several clusters (%(default)s)")
    commands = parser.add_subparsers(required=True, metavar="command")
    for run in (up, down, status, hold, release, kubectl):
        command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        if run is up:
            command.add_argument("--detach", action="store_true", help="return when it is ready; stop it with `down`")
        if run in (hold, release):
            command.add_argument("component", help="e.g. kube-apiserver, kubelet, kube-scheduler, relay")
        if run is kubectl:
            command.add_argument("words", nargs=argparse.REMAINDER, help="what kubectl takes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result: int = options.run(OwnCluster.named(options.name), options)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return result


if __name__ == "__main__":
    sys.exit(main())

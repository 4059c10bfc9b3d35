"""The images of the tests, made without a registry and loaded into the cluster's containerd."""

import subprocess
import tempfile
from pathlib import Path

from deploy.images import archive
from deploy.images.archive import Image
from deploy.images.dbt import build
from stack.environments import Say
from stack.places import ROOT
from stack.problems import Problem
from tests.cluster.components import PAUSE_IMAGE

BUSYBOX_IMAGE = "localhost/busybox:1"
DBT_IMAGE = "localhost/pilothouse-dbt:1"
DBT_EXAMPLE_IMAGE = "localhost/pilothouse-dbt-example:1"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def images(cache: Path, work: Path, say: Say) -> list[Image]:
    """All images. The large layer is kept in the folder `cache`, the small ones are made in `work` each time."""
    return [
        _pause(work),
        _busybox(work),
        build.image(DBT_IMAGE, cache, work, say),
        build.image(DBT_EXAMPLE_IMAGE, cache, work, say, project=ROOT / "example"),
    ]


def load(wanted: list[Image], containerd_socket: Path) -> None:
    """Load the images into containerd, which must be there already.

    Raises:
        Problem: containerd refuses one.
    """
    command = ["ctr", "--address", str(containerd_socket), "--namespace", "k8s.io", "image", "import", "-"]
    with tempfile.TemporaryFile() as output:
        loading = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)
        assert loading.stdin
        try:
            archive.write_archive(wanted, loading.stdin)
        except BrokenPipeError:
            pass  # ctr has given up; it has said why
        finally:
            loading.stdin.close()
        if loading.wait():
            output.seek(0)
            raise Problem(f"The images could not be loaded:\n{output.read().decode()}")


def _pause(work: Path) -> Image:
    """What holds a pod's network: catatonit does the same as Kubernetes' own pause."""
    layer = work / "pause.tar"
    archive.write_files_layer({"pause": Path("/usr/bin/catatonit")}, layer)
    return Image(PAUSE_IMAGE, (layer,), {"Entrypoint": ["/pause", "-P"]})


def _busybox(work: Path) -> Image:
    layer = work / "busybox.tar"
    with tempfile.TemporaryDirectory() as folder:
        binaries, etc, tmp = (Path(folder) / name for name in ("bin", "etc", "tmp"))
        for place in (binaries, etc, tmp):
            place.mkdir()
        (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        for name in subprocess.run(["busybox", "--list"], check=True, capture_output=True, text=True).stdout.split():
            if name != "busybox":
                (binaries / name).symlink_to("busybox")
        archive.write_files_layer({"bin/busybox": Path("/bin/busybox"), "bin": binaries, "etc": etc, "tmp": tmp}, layer)
    return Image(BUSYBOX_IMAGE, (layer,), {"Env": [PATH], "Cmd": ["sh"]})

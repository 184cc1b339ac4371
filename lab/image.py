# SPDX-License-Identifier: Apache-2.0
"""Images with our elements: a tar to boot as a container here, a qcow2 to boot in a cloud.

    python3 -m lab.image tar|qcow2 [--release bookworm|trixie] [--element NAME]...

Needs root, as diskimage-builder does, and the packages in bindep.txt. An image is kept by what it
is made from, so it is built once; all of it lies in .cache/image.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError
from .venv import CACHE, CHECKOUT, locked

IMAGES = CACHE / "image"
VENV = CACHE / "venv-dib"
REQUIREMENTS = Path(__file__).with_name("requirements-dib.txt")

RELEASES = ("bookworm", "trixie")
ELEMENTS = (
    "os-collect-config",
    "os-refresh-config",
    "os-apply-config",
    "heat-config",
    "heat-config-script",
)
# What goes into an image, below the checkout.
SOURCES = (
    "LICENSE",
    "elements",
    "heat_config",
    "hooks",
    "lab/elements",
    "lab/requirements-dib.txt",
    "pyproject.toml",
)

# One file system without partitions: dib's own default, in a folder of our choice. There it is a
# file on disk, by whose path a loop device that was left over can be told.
BLOCK_DEVICE = """
- local_loop:
    name: image0
    directory: {directory}
    mkfs:
      name: mkfs_root
      mount:
        mount_point: /
        fstab:
          options: defaults
          fsck-passno: 1
"""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Image:
    """One image to build: `kind` is dib's name of the file format."""

    kind: str
    release: str
    elements: tuple[str, ...]
    key: str

    @classmethod
    def of(cls, kind: str, release: str, elements: Iterable[str]) -> "Image":
        """Return the image that these and the sources, as they are now, make."""
        chosen = tuple(elements)
        made_from = json.dumps([kind, release, chosen])
        return cls(kind, release, chosen, key_of(made_from, source_files()))

    @property
    def directory(self) -> Path:
        """The folder that holds the image, its log and what was made of it."""
        return IMAGES / f"{self.kind}-{self.release}-{self.key}"

    @property
    def path(self) -> Path:
        """The image file, whether it is built or not."""
        return self.directory / f"image.{self.kind}"


def key_of(made_from: str, sources: Iterable[Path]) -> str:
    """Return a hash of a text and of the files' names, modes and contents."""
    digest = hashlib.sha256(made_from.encode())
    for path in sources:
        mode = path.stat().st_mode & 0o777
        digest.update(f"\0{path.relative_to(CHECKOUT)}\0{mode:o}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def build_tar(
    release: str = "bookworm", elements: Sequence[str] = (), *, progress: Progress = print
) -> Path:
    """Return a Debian root with our elements and these ones, without a kernel, as a tar file."""
    chosen = ("debian-minimal", "no-kernel", "no-nameserver", *ELEMENTS, *elements)
    return build(Image.of("tar", release, chosen), progress=progress)


def build_qcow2(
    release: str = "bookworm", elements: Sequence[str] = (), *, progress: Progress = print
) -> Path:
    """Return an image with a kernel and cloud-init. It has partitions where that is possible."""
    chosen = [
        "debian-minimal",
        "cloud-init",
        "cloud-network",
        "no-nameserver",
        "openssh-server",
        *ELEMENTS,
        *elements,
    ]
    if has_device_mapper():
        chosen.append("vm")
    else:
        progress(
            "This machine has no device-mapper, which dib needs for partitions: the image is one"
            " file system without a boot loader. Start it with its own /vmlinuz and /initrd.img"
            " (qemu -kernel, Glance's kernel_id and ramdisk_id), root=LABEL=cloudimg-rootfs."
        )
    return build(Image.of("qcow2", release, chosen), progress=progress)


def has_device_mapper() -> bool:
    """Say whether the kernel can map the partitions of a loop device."""
    return Path("/dev/mapper/control").exists()


def build(image: Image, *, progress: Progress = print) -> Path:
    """Build an image unless it is there already. Raise LabError with the end of the log."""
    if image.path.exists():
        return image.path
    if os.geteuid() != 0:
        raise LabError("building an image needs root", hint="start it again with sudo")
    with locked(IMAGES / "lock"):
        if not image.path.exists():
            install_dib(progress)
            _clean_stale()
            _build(image, progress)
            _forget_older(image)
    return image.path


def unpack(tar: Path) -> Path:
    """Return the folder with the tar's content, beside it. It is made once: do not write to it."""
    root = tar.with_name("root")
    with locked(IMAGES / "lock"):
        if not root.exists():
            with _scratch() as scratch:
                partial = scratch / "root"
                partial.mkdir()
                keep = ["--numeric-owner", "--xattrs", "--xattrs-include=*"]
                run(["tar", "-C", partial, *keep, "-xpf", tar])
                partial.rename(root)
    return root


def source_files() -> list[Path]:
    """Return every file that goes into an image, in a fixed order."""
    found: list[Path] = []
    for source in SOURCES:
        path = CHECKOUT / source
        found += [path] if path.is_file() else path.rglob("*")
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def install_dib(progress: Progress) -> None:
    """Make the virtual environment with diskimage-builder, unless it is there already."""
    marker = VENV / "requirements-dib.txt"
    wanted = REQUIREMENTS.read_text()
    if marker.is_file() and marker.read_text() == wanted:
        return
    progress("installing diskimage-builder")
    shutil.rmtree(VENV, ignore_errors=True)
    run([sys.executable, "-m", "venv", VENV])
    run([VENV / "bin/python", "-m", "pip", "-qq", "install", "--no-deps", "-r", REQUIREMENTS])
    marker.write_text(wanted)


def _build(image: Image, progress: Progress) -> None:
    started = time.monotonic()

    def told(text: str) -> None:
        progress(f"{time.monotonic() - started:6.1f} s  {text}")

    image.directory.mkdir(parents=True, exist_ok=True)
    log = image.directory / "build.log"
    told(f"{image.path.name}: Debian {image.release}; log: {log}")
    with _scratch() as scratch:
        _copy_sources(scratch)
        status = _run_dib(image, scratch, log, told)
        built = scratch / "out" / image.path.name
        if status or not built.exists():
            tail = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-40:])
            raise LabError(f"disk-image-create exited {status}:\n{tail}", hint=f"all of it: {log}")
        built.rename(image.path)
    told(f"{image.path.stat().st_size / 1e6:.0f} MB in {image.path}")


def _copy_sources(scratch: Path) -> None:
    """Build from a copy: someone may be editing the files meanwhile."""
    for path in source_files():
        copy = scratch / "source" / path.relative_to(CHECKOUT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)


def _run_dib(image: Image, scratch: Path, log: Path, told: Progress) -> int:
    """Run disk-image-create in namespaces of its own, so that nothing of it can stay behind."""
    for name in ("out", "disk"):
        (scratch / name).mkdir()
    command = [
        *("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"),
        *("--mount-proc", str(VENV / "bin/disk-image-create"), "-n", "-t", image.kind),
        *("-o", str(scratch / "out/image"), *image.elements),
    ]
    process = subprocess.Popen(
        command,
        cwd=scratch,
        env=_environment(image, scratch),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    try:
        assert process.stdout is not None  # noqa: S101 - what stdout=PIPE means
        phase = ""
        with log.open("w") as output:
            for line in process.stdout:
                output.write(line)
                if (begun := phase_of(line)) not in ("", phase):
                    phase = begun
                    told(phase)
        return process.wait()
    finally:
        process.kill()
        process.wait()


def phase_of(line: str) -> str:
    """Return the phase of the build that a line of its log tells about, or ""."""
    match = re.search(r"dib-run-parts Running \S+/([a-z-]+)\.d/", line)
    return match[1] if match else ""


def _environment(image: Image, scratch: Path) -> dict[str, str]:
    """Return dib's environment: the caller's, without settings of other builds."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIB_")}
    caches, source = IMAGES / "dib", scratch / "source"
    caches.mkdir(exist_ok=True)
    if "vm" not in image.elements:
        kept["DIB_BLOCK_DEVICE_CONFIG"] = BLOCK_DEVICE.format(directory=scratch / "disk")
    return {
        **kept,
        **mirrors(),
        "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}",
        "ELEMENTS_PATH": f"{source / 'elements'}:{source / 'lab/elements'}",
        "ARCH": architecture(),
        "DIB_RELEASE": image.release,
        "DIB_IMAGE_CACHE": str(caches),
        "DIB_LOCKFILES": str(caches),
        "DIB_DEBOOTSTRAP_CACHE": "1",
        "DIB_DEBIAN_USE_DEBOOTSTRAP_CACHE": "1",
        "TMP_DIR": str(scratch),
        "TMPDIR": str(scratch),
    }


def architecture() -> str:
    """Return this machine's architecture by Debian's name."""
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def mirrors() -> dict[str, str]:
    """Return dib's settings for the Debian mirrors that this machine uses itself."""
    found: dict[str, str] = {}
    for address, suites in apt_sources():
        security = any(suite.endswith("-security") for suite in suites)
        name = "DIB_DEBIAN_SECURITY_MIRROR" if security else "DIB_DISTRIBUTION_MIRROR"
        found.setdefault(name, address)
    return found


def apt_sources(apt: Path = Path("/etc/apt")) -> Iterator[tuple[str, list[str]]]:
    """Yield the address and the suites of each of Debian's own package sources."""
    modern = apt / "sources.list.d" / "debian.sources"
    if modern.is_file():
        for stanza in re.split(r"\n\s*\n", modern.read_text()):
            fields = dict(re.findall(r"(?m)^(\w+):[ \t]*(.*)$", stanza))
            if "URIs" in fields and "deb" in fields.get("Types", "").split():
                yield fields["URIs"].split()[0], fields.get("Suites", "").split()
    classic = apt / "sources.list"
    if classic.is_file():
        for line in classic.read_text().splitlines():
            match = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S*debian\S*)\s+(\S+)", line)
            if match:
                yield match[1], [match[2]]


@contextmanager
def _scratch() -> Iterator[Path]:
    """Provide a temporary folder; take it away with all that is attached to it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=IMAGES))
    try:
        yield scratch
    finally:
        _remove(scratch)


def _clean_stale() -> None:
    """Take away what a build left that was killed. The caller holds the lock."""
    for scratch in IMAGES.glob("scratch-*"):
        _remove(scratch)


def _remove(scratch: Path) -> None:
    listed = run(["losetup", "--list", "--json", "--output", "NAME,BACK-FILE"]).strip()
    for device in json.loads(listed)["loopdevices"] if listed else []:
        if str(device["back-file"]).startswith(f"{scratch}/"):
            run(["losetup", "--detach", device["name"]])
    run(["rm", "-rf", "--one-file-system", scratch])


def _forget_older(image: Image, *, keep: int = 2) -> None:
    """Remove all but the newest images of this kind and release: each takes some 600 MB."""

    def worth(directory: Path) -> tuple[bool, float]:
        return (directory / image.path.name).exists(), directory.stat().st_mtime

    same = IMAGES.glob(f"{image.kind}-{image.release}-*")
    for directory in sorted(same, key=worth)[:-keep]:
        run(["rm", "-rf", "--one-file-system", directory])


def run(command: Sequence[str | Path]) -> str:
    """Run a command and return what it printed. Raise LabError with all of it if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(map(str, command))
        raise LabError(f"{words} exited {done.returncode}:\n{done.stdout}{done.stderr}".strip())
    return done.stdout


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.image", description="Build an image.")
    parser.add_argument("kind", choices=("tar", "qcow2"))
    parser.add_argument("--release", choices=RELEASES, default="bookworm")
    parser.add_argument("--element", action="append", default=[], help="one more element")
    options = parser.parse_args(None if arguments is None else list(arguments))
    # Else a TERM would leave the temporary folder, until the next build.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    builder = build_tar if options.kind == "tar" else build_qcow2
    try:
        path = builder(options.release, options.element, progress=_to_stderr)
    except LabError as error:
        print(f"lab.image: {error}", file=sys.stderr)
        return 1
    print(path)
    return 0


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

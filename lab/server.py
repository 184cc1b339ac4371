# SPDX-License-Identifier: Apache-2.0
"""A server booted from an image: systemd and all that it starts, in a container on this machine.

    with Server(unpack(build_tar()), files=[File("/etc/motd", "hello")]) as server:
        server.run(["systemctl", "is-active", "os-collect-config"])

It writes into memory alone, so its root stays as it was. It shares this machine's network, so it
reaches the lab on loopback; what would go beyond that is masked. Needs root.

    python3 -m lab.server boot ROOT | shell | journal | stop [--name NAME]
"""

import argparse
import base64
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from .errors import LabError
from .process import boot_id, start_time
from .venv import CACHE

STATE = CACHE / "server"
CGROUPS = Path("/sys/fs/cgroup")

# What would call out, set this machine's network up, or wait for someone at a console.
MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "e2scrub_reap.service",
    "networking.service",
    "systemd-firstboot.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-remount-fs.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
)

# The metadata service's address is not on loopback. Whatever collectors a server is told to use,
# oslo.config takes this one from the environment: a port on which nothing listens.
SERVICE_ENVIRONMENT = {"OS_EC2__METADATA_URL": "http://127.0.0.1:9/"}

ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM": os.environ.get("TERM", "dumb"),
}

# Starts nspawn in control groups of its own and takes them away after it, also when the program
# that booted the server is killed: then this gets a TERM (setpriv --pdeathsig), which it hands on.
# $1: the groups' folders, $2...: the command.
_SUPERVISOR = """
groups=$1; shift
for group in $groups; do mkdir -p "$group" && echo $$ > "$group/cgroup.procs"; done
setpriv --pdeathsig=TERM "$@" < /dev/null &
nspawn=$!
trap 'kill -TERM $nspawn' TERM
while kill -0 $nspawn 2> /dev/null; do wait $nspawn; status=$?; done
for group in $groups; do
    echo $$ > "${group%/*}/cgroup.procs"
    for try in 1 2 3 4 5 6 7 8 9; do
        find "$group" -depth -type d -delete 2> /dev/null && break
        sleep 0.1
    done
done
exit $status
"""


@dataclass(frozen=True)
class File:
    """A file that is in the server before any of its services starts; owned by root."""

    path: str
    text: str
    mode: int = 0o600

    def tmpfiles_line(self) -> str:
        """Return the line that makes systemd-tmpfiles write it."""
        encoded = base64.b64encode(self.text.encode()).decode()
        return f"f+~ {self.path} {self.mode:04o} root root - {encoded}\n"


# What a server reads first unless its files say otherwise: what Nova's user data would hold.
BOOT_CONFIG = File("/etc/os-collect-config.conf", "[DEFAULT]\ncollectors = heat_local\n")


@dataclass(frozen=True)
class Running:
    """A booted server as its state file knows it. Process ids alone may be others' by now."""

    name: str
    supervisor: int
    supervisor_start: int
    leader: int
    boot: str
    root: str

    def alive(self) -> bool:
        """Say whether this very server still runs."""
        return self.boot == boot_id() and start_time(self.supervisor) == self.supervisor_start


class Server:
    """One server. Boots on entering the context, and is powered off on leaving it.

    `keep`: it goes on after this program's end, until `python3 -m lab.server stop` or `stop()`.
    Else it dies with the thread that booted it, however that ends. `disks`: folders of this
    machine, by their path inside, that outlive a boot; all else is then as in the image again.
    """

    def __init__(
        self,
        root: Path,
        *,
        files: Iterable[File] = (),
        disks: Mapping[str, Path] | None = None,
        name: str = "",
        keep: bool = False,
    ) -> None:
        self.root = root.resolve()
        self.name = name or f"server-{uuid.uuid4().hex[:8]}"
        self.files = tuple(files)
        if BOOT_CONFIG.path not in {file.path for file in self.files}:
            self.files += (BOOT_CONFIG,)
        self.disks = dict(disks or {})
        self.keep = keep
        self._running: Running | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._state = STATE / f"{self.name}.json"

    @classmethod
    def find(cls, name: str = "server") -> "Server":
        """Return a server that was booted with `keep` and still runs."""
        state = STATE / f"{name}.json"
        if state.exists():
            running = Running(**json.loads(state.read_text()))
            if running.alive():
                server = cls(Path(running.root), name=name, keep=True)
                server._running = running
                return server
            state.unlink()
        raise LabError(f"no server {name!r} is running", hint="boot it: python3 -m lab.server boot")

    def __enter__(self) -> "Server":
        self.boot()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.keep:
            self.stop()

    @property
    def leader(self) -> int:
        """The pid, on this machine, of the server's process 1."""
        if self._running is None:
            raise LabError(f"the server {self.name} is not booted")
        return self._running.leader

    def boot(self, *, timeout: float = 20) -> None:
        """Boot it; return when its systemd runs (its services may still be starting)."""
        if os.geteuid() != 0:
            raise LabError("booting a server needs root", hint="start it again with sudo")
        if not shutil.which("systemd-nspawn"):
            raise LabError("systemd-nspawn is missing", hint="apt-get install systemd-container")
        STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
        secret = "".join(file.tmpfiles_line() for file in self.files)
        with _nameless_file(secret) as descriptor, tempfile.TemporaryFile() as console:
            self._process = self._start(descriptor, console)
            try:
                self._running = self._wait_for_leader(timeout, console)
            except BaseException:
                self.stop()
                raise
        if self.keep:
            self._state.write_text(json.dumps(asdict(self._running)))

    def run(
        self,
        command: Sequence[str | Path],
        *,
        check: bool = True,
        timeout: float = 60,
        text_input: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root. Raise LabError with its output when it fails."""
        done = subprocess.run(
            [*self._enter_command(), *command],
            input=text_input,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            told = (done.stdout + done.stderr).strip()
            words = shlex.join(map(str, command))
            raise LabError(f"in {self.name}: {words} exited {done.returncode}:\n{told}")
        return done

    def read(self, path: str) -> str:
        """Return the text of a file inside, "" where there is none."""
        return self.run(["cat", path], check=False).stdout

    def journal(self, unit: str = "", *, output: str = "short-monotonic") -> str:
        """Return the journal, of one unit if given. Monotonic times are this machine's."""
        command = ["journalctl", "--no-pager", "--quiet", f"--output={output}"]
        return self.run([*command, *([f"--unit={unit}"] if unit else [])]).stdout

    def wait_for(
        self,
        predicate: Callable[["Server"], object],
        *,
        timeout: float = 30,
        interval: float = 0.1,
        what: str = "what was waited for",
    ) -> None:
        """Wait until the predicate is true of this server; else raise LabError with the journal."""
        deadline = time.monotonic() + timeout
        while not predicate(self):
            if time.monotonic() > deadline:
                tail = "\n".join(self.journal().splitlines()[-40:])
                raise LabError(f"in {self.name}: {what} did not come in {timeout:.0f} s:\n{tail}")
            time.sleep(interval)

    def shell_command(self) -> str:
        """Return what a person types to get a shell inside."""
        return shlex.join([*self._enter_command(), "bash", "-l"])

    def stop(self, *, timeout: float = 10) -> None:
        """Power it off; after `timeout` seconds cut its power. Nothing of it is left on return."""
        supervisor = self._running.supervisor if self._running else None
        if self._process:
            supervisor = self._process.pid
        off = not supervisor or (timeout and self._ended(supervisor, signal.SIGTERM, timeout))
        if supervisor and not off:
            self._cut_power(supervisor)
        shutil.rmtree(f"/run/systemd/nspawn/propagate/{self._machine}", ignore_errors=True)
        self._state.unlink(missing_ok=True)
        self._process = self._running = None

    def _cut_power(self, supervisor: int) -> None:
        """End it at once. Its process 1 takes all others along, and nspawn ends after it.

        A killed nspawn would leave them all behind, so that comes last.
        """
        leader = [self._running.leader] if self._running else []
        for pids in (leader, _children(supervisor)):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if pids and self._ended(supervisor, 0, 10):
                return
        raise LabError(f"the server {self.name} does not end (process {supervisor})")

    @property
    def _machine(self) -> str:
        return f"heat-config-{self.name}"

    def _start(self, secret: int, console: IO[bytes]) -> subprocess.Popen[bytes]:
        groups = " ".join(str(group / self._machine) for group in _own_cgroups())
        nspawn = [
            *("systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}", "--read-only"),
            *("--volatile=overlay", "--register=no", f"--machine={self._machine}"),
            *("--console=pipe", "--resolv-conf=off", "--timezone=off", "--link-journal=no"),
            # Not a file, and not an argument: others could read those.
            f"--load-credential=tmpfiles.extra:/proc/self/fd/{secret}",
            *(["--keep-unit"] if groups else []),
            *(f"--bind={folder}:{path}" for path, folder in self.disks.items()),
            *(f"systemd.mask={unit}" for unit in MASKED),
            *(f"systemd.setenv={name}={value}" for name, value in SERVICE_ENVIRONMENT.items()),
        ]
        linked = [] if self.keep else ["setpriv", "--pdeathsig=TERM"]
        return subprocess.Popen(
            [*linked, "sh", "-c", _SUPERVISOR, "supervisor", groups, *nspawn],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            pass_fds=[secret],
            start_new_session=True,
        )

    def _wait_for_leader(self, timeout: float, console: IO[bytes]) -> Running:
        assert self._process  # noqa: S101 - what _start has returned
        supervisor = self._process.pid
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            leader = _leader(supervisor)
            if leader:
                started = start_time(supervisor) or 0
                return Running(self.name, supervisor, started, leader, boot_id(), str(self.root))
            time.sleep(0.02)
        console.seek(0)
        raise LabError(f"{self.name} does not boot:\n{console.read().decode(errors='replace')}")

    def _enter_command(self) -> list[str]:
        enter = ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--pid"]
        variables = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        return [*enter, "--wd", "env", "-i", *variables]

    def _ended(self, pid: int, number: int, timeout: float) -> bool:
        """Send a signal (0: none), and say whether the process ended in time."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process:
                self._process.poll()
            if start_time(pid) is None:
                return True
            time.sleep(0.02)
        return False


@contextlib.contextmanager
def _nameless_file(text: str) -> Iterator[int]:
    """Provide a file that is in no folder, so nobody else can open it and nothing stays."""
    descriptor = os.memfd_create("tmpfiles.extra")
    try:
        os.write(descriptor, text.encode())
        yield descriptor
    finally:
        os.close(descriptor)


def _own_cgroups() -> list[Path]:
    """Return this process's control groups in the hierarchies that a systemd wants to manage.

    None where this machine runs systemd itself: it makes a scope for the container then.
    """
    if Path("/run/systemd/system").exists():
        return []
    unified = CGROUPS / "unified" if (CGROUPS / "unified").exists() else CGROUPS
    folders = {"": unified, "name=systemd": CGROUPS / "systemd"}
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    fields = [line.split(":", 2) for line in lines]
    return [folders[kind] / path.lstrip("/") for _, kind, path in fields if kind in folders]


def _leader(supervisor: int) -> int:
    """Return the pid of the container's process 1 once one can talk to it, else 0."""
    for nspawn in _children(supervisor):
        for pid in _children(nspawn):
            with contextlib.suppress(OSError):
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                if name == "systemd" and Path(f"/proc/{pid}/root/run/systemd/private").exists():
                    return pid
    return 0


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.server", description="A booted image.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, explained in _COMMANDS.items():
        command = commands.add_parser(name, help=explained)
        command.add_argument("--name", default="server", help="which server (%(default)s)")
    commands.choices["boot"].add_argument("root", type=Path, help="an unpacked image")
    options = parser.parse_args(arguments)
    try:
        return _run_command(options)
    except LabError as error:
        print(f"lab.server: {error}", file=sys.stderr)
        return 1


_COMMANDS = {
    "boot": "boot an unpacked image and leave it running",
    "shell": "get a shell in a server that was left running",
    "journal": "print its journal",
    "stop": "power it off",
}


def _run_command(options: argparse.Namespace) -> int:
    if options.command == "boot":
        server = Server(options.root, name=options.name, keep=True)
        server.boot()
        print(server.shell_command())
        return 0
    server = Server.find(options.name)
    if options.command == "shell":
        return subprocess.run(shlex.split(server.shell_command()), check=False).returncode
    if options.command == "journal":
        print(server.journal(), end="")
    else:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())

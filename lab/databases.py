# SPDX-License-Identifier: Apache-2.0
"""The databases: PostgreSQL for Heat, SQLite for Keystone.

Migrations and Keystone's bootstrap take longer than all the rest of bringing a lab up, and give
the same each time. So they run once, into a seed folder in the cache that each lab copies; what
must differ, the passwords and keys, is set in the copy.
"""

import base64
import hashlib
import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from . import config, process, venv
from .errors import LabError

# Debian keeps the programs of each PostgreSQL version out of PATH.
_DEBIAN = Path("/usr/lib/postgresql")


def prepare(settings: config.Settings) -> None:
    """Give a lab its databases, with its own passwords and keys; `etc/` is rendered already."""
    data = settings.directory / "data"
    run("cp", "-a", "--reflink=auto", _seed(), data)
    (data / "redis").mkdir()
    _new_keys(data / "keystone")
    further = (f"CREATE DATABASE {name} OWNER heat" for name in settings.profile.databases)
    password = f"ALTER ROLE heat PASSWORD '{_heat_password(settings)}'"
    _sql(data / "postgresql", password, *further)


def bootstrap_password(settings: config.Settings) -> str:
    """Return the password of Keystone's admin as the seed has it."""
    return (settings.directory / "data/keystone/bootstrap-password").read_text()


def _seed() -> Path:
    """Return the seed folder; make it if it is not there."""
    folder = venv.CACHE / f"lab-seed-{_seed_key()}"
    with venv.locked(venv.CACHE / "lab-seed.lock"):
        if not folder.is_dir():
            for old in venv.CACHE.glob("lab-seed-*"):
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix="lab-seed-", dir=venv.CACHE) as work:
                settings = config.Settings.new(Path(work))
                _make_seed(settings)
                (settings.directory / "data").rename(folder)
    return folder


def _seed_key() -> str:
    """Return what a seed depends on: the services' versions, PostgreSQL's, and this program."""
    version = subprocess.check_output([postgresql("postgres"), "--version"])
    parts = [venv.key().encode(), version, postgresql_user().encode(), Path(__file__).read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _make_seed(settings: config.Settings) -> None:
    """Make Keystone's and Heat's databases, both at once."""
    for folder in ("data", "log"):
        (settings.directory / folder).mkdir(mode=0o700)
    settings.render()
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(_seed_keystone, settings), pool.submit(_seed_heat, settings)]
    for job in jobs:
        job.result()


def _seed_keystone(settings: config.Settings) -> None:
    """Create Keystone's tables, its first roles, and a user that creates all others."""
    folder = settings.directory / "data/keystone"
    folder.mkdir(mode=0o700)
    _new_keys(folder)
    password = settings.passwords["admin_password"]
    config.write_private(folder / "bootstrap-password", password)
    conf = f"--config-file={settings.directory}/etc/keystone.conf"
    manage = (venv.VENV / "bin/keystone-manage", conf)
    run(*manage, "db_sync")
    # In the environment, not among the arguments, which everyone can read.
    environment = {"OS_BOOTSTRAP_USERNAME": "bootstrap", "OS_BOOTSTRAP_PASSWORD": password}
    run(*manage, "bootstrap", environment=environment)


def _seed_heat(settings: config.Settings) -> None:
    """Create a PostgreSQL cluster with Heat's role and tables."""
    data = settings.directory / "data/postgresql"
    user = postgresql_user()
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, user)
    initdb = (*process.as_user(user), postgresql("initdb"), "--no-sync", f"--pgdata={data}")
    # The superuser's password is known to nobody: `postgres --single` needs none.
    access = ("--username=postgres", "--auth=scram-sha-256", "--pwfile=/dev/stdin")
    run(*initdb, *access, "--encoding=UTF8", "--no-locale", stdin=secrets.token_hex())
    _sql(data, "CREATE ROLE heat LOGIN", "CREATE DATABASE heat OWNER heat")
    _sql(data, f"ALTER ROLE heat PASSWORD '{_heat_password(settings)}'")
    with _running(settings):
        conf = f"--config-file={settings.directory}/etc/heat.conf"
        run(venv.VENV / "bin/heat-manage", conf, "db_sync")


def _heat_password(settings: config.Settings) -> str:
    return settings.passwords["heat_database_password"]


def _new_keys(folder: Path) -> None:
    """Write Fernet keys as Keystone wants them: 0 is the next one, 1 the one in use."""
    for kind in ("fernet-keys", "credential-keys"):
        keys = folder / kind
        keys.mkdir(mode=0o700, exist_ok=True)
        for name in ("0", "1"):
            key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            config.write_private(keys / name, key)


def _sql(data: Path, *statements: str) -> None:
    """Run SQL in a PostgreSQL that is not running, so without a password."""
    single = ("--single", "-D", str(data), "-c", "fsync=off", "postgres")
    command = (*process.as_user(postgresql_user()), postgresql("postgres"), *single)
    run(*command, stdin="".join(f"{s}\n" for s in statements))


@contextmanager
def _running(settings: config.Settings) -> Iterator[None]:
    """Run the seed's PostgreSQL for as long as the schema is made."""
    server = process.launch(
        "postgresql",
        postgresql_command(settings),
        log=settings.directory / "log/postgresql.log",
        directory=settings.directory,
        environment=config.environment(settings.directory),
        user=postgresql_user(),
        death_signal="TERM",
    )
    try:
        while not postgresql_ready(settings):
            if server.poll() is not None:
                raise LabError((settings.directory / "log/postgresql.log").read_text()[-3000:])
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait(30)


def postgresql_command(settings: config.Settings) -> list[str | Path]:
    """Return the command line of the server."""
    directory = settings.directory
    conf = f"--config-file={directory}/etc/postgresql.conf"
    return [postgresql("postgres"), "-D", directory / "data/postgresql", conf]


def postgresql_ready(settings: config.Settings) -> bool:
    """Say whether the server takes connections."""
    address = ("-h", "127.0.0.1", "-p", str(settings.ports["postgresql"]))
    command = (postgresql("pg_isready"), "--quiet", *address)
    return subprocess.run(command, check=False).returncode == 0


def remove_shared_memory(directory: Path) -> None:
    """Remove the one thing that a killed PostgreSQL leaves outside of its folder.

    It notes key and id of the segment in postmaster.pid, and deletes that file when it ends
    in order. The segment is PostgreSQL's own still if both are as noted and nobody uses it.
    """
    try:
        noted = (directory / "data/postgresql/postmaster.pid").read_text().splitlines()[6].split()
        segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    except (FileNotFoundError, IndexError):
        return
    for key, number, _, _, _, _, users, *_ in map(str.split, segments):
        if [key, number] == noted and users == "0":
            run("ipcrm", "--shmem-id", number)


def postgresql_user() -> str:
    """Return whom to run PostgreSQL as: it refuses root. Empty means: as we are."""
    if os.geteuid():
        return ""
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def postgresql(program: str) -> str:
    """Find one of PostgreSQL's programs, of the newest version that is installed."""
    versions = sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name))
    path = os.pathsep.join([*map(str, reversed(versions)), os.environ.get("PATH", os.defpath)])
    found = shutil.which(program, path=path)
    if not found:
        raise LabError(f"{program} is not installed", hint="on Debian: apt-get install postgresql")
    return found


def run(
    *command: str | Path, stdin: str = "", environment: Mapping[str, str] | None = None
) -> None:
    """Run a command quietly; show what it said only when it fails."""
    done = subprocess.run(
        command,
        input=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    # `postgres --single` exits 0 whatever became of the statement.
    if done.returncode or re.search(r"\b(ERROR|FATAL|PANIC):  ", done.stdout):
        raise LabError(f"{command[0]} exited {done.returncode}:\n{done.stdout.strip()[-3000:]}")

# SPDX-License-Identifier: Apache-2.0
"""A row of Heat's database that somebody else has locked: who would change it waits."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab import Lab

_PROGRAM = """
import configparser, sys, time
from sqlalchemy import create_engine, text

found = configparser.RawConfigParser(strict=False)
found.read(sys.argv[1])
database = create_engine(found["database"]["connection"])
row = text("SELECT id FROM software_deployment WHERE config_id = :config FOR UPDATE")
waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
with database.connect() as holding, database.connect() as looking:
    assert holding.execute(row, {"config": sys.argv[2]}).scalar()
    print("locked", flush=True)
    while not looking.execute(waiting).scalar():
        time.sleep(0.05)
    print("waited for", flush=True)
    sys.stdin.read()
"""


@contextmanager
def deployment_locked(lab: Lab, config_id: str) -> Iterator[Callable[[], None]]:
    """Lock the deployment that has this config, within the block.

    What is given waits until somebody waits for the lock.
    """
    command = [str(lab.python), "-c", _PROGRAM, str(lab.directory / "etc/heat.conf"), config_id]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdin and holder.stdout
        says = holder.stdout.readline
        assert says() == "locked\n"

        def wait_until_wanted() -> None:
            assert says() == "waited for\n"

        yield wait_until_wanted
        holder.stdin.close()

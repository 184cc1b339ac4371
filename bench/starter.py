# SPDX-License-Identifier: Apache-2.0
"""Runs a program and says what it has taken; alone in a small process.

The kernel counts the memory of who starts a program as that program's (it is that until the
program is there), and a benchmark is larger than what it measures.
"""

import json
import os
import sys
import time


def main() -> None:
    """Read command and environment, run it without input or output, write what it took."""
    command, environment = json.load(sys.stdin)
    nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    begun = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environment, file_actions=nothing)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begun
    cpu = usage.ru_utime + usage.ru_stime
    print(json.dumps([os.waitstatus_to_exitcode(status), wall, cpu, usage.ru_maxrss]))


main()

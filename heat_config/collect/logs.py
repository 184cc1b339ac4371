# SPDX-License-Identifier: Apache-2.0
"""What os-collect-config's collectors and the libraries say, with its priority in the journal."""

from __future__ import annotations

import logging
import sys

from heat_config import journal, log


class Handler(logging.Handler):
    """Hands a record on; what is less than a warning is for those who look for something."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write it."""
        write = log.debug
        if record.levelno >= logging.WARNING:
            write = log.error if record.levelno >= logging.ERROR else log.warning
        write(self.format(record))


def go_to_the_journal() -> None:
    """Let what would be written to stderr be entries, where stderr leads to the journal."""
    if not journal.takes(sys.stderr):
        return
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr:
            root.removeHandler(handler)
            root.addHandler(Handler())

# SPDX-License-Identifier: Apache-2.0
"""The command line: python3 -m packages deb|rpm."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from lab.errors import LabError

from .build import Build, build
from .deb import DEB
from .releases import RELEASES
from .rpm import RPM
from .version import maintainer

KINDS = {"deb": DEB, "rpm": RPM}


def main(arguments: Sequence[str] | None = None) -> int:
    """Build packages and print their paths; return the exit status."""
    options = _parser().parse_args(arguments)
    # Else a TERM would leave the temporary folder, until the next build.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        if os.geteuid() != 0:
            raise LabError("building packages needs root", hint="start it again with sudo")
        release = RELEASES[options.release]
        wanted = Build(KINDS[options.kind], release, options.revision, maintainer(os.environ))
        for path in build(wanted, progress=_to_stderr):
            print(path)
    except LabError as error:
        print(f"packages: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m packages", description="Build packages.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--release", choices=RELEASES, default="bookworm")
    parser.add_argument("--revision", type=int, default=1, help="which build of this version")
    return parser


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""The command line: python3 -m lab.image."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from ..errors import LabError
from .kinds import RELEASES, build_qcow2, build_tar

BUILDERS = {"tar": build_tar, "qcow2": build_qcow2}


def main(arguments: Sequence[str] | None = None) -> int:
    """Build an image and print its path; return the exit status."""
    options = _parser().parse_args(arguments)
    # Else a TERM would leave the temporary folder, until the next build.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        path = BUILDERS[options.kind](options.release, options.element, progress=_to_stderr)
    except LabError as error:
        print(f"lab.image: {error}", file=sys.stderr)
        return 1
    print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab.image", description="Build an image.")
    parser.add_argument("kind", choices=BUILDERS)
    parser.add_argument("--release", choices=RELEASES, default="bookworm")
    parser.add_argument("--element", action="append", default=[], help="one more element")
    return parser


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

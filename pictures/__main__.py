# SPDX-License-Identifier: Apache-2.0
"""``make pictures``: draw the boxes anew, run the demo, and keep what it has shown.

``python3 -m pictures boxes`` draws the boxes alone.
"""

from __future__ import annotations

import os
import shutil
import sys
from datetime import datetime, timezone
from pathlib import Path

from pictures import boxes, terminal

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
DOCS = CHECKOUT / "docs"
# What the demo keeps of its stack.
TIMELINE = CHECKOUT / ".cache/demo/demo-plugin-create.svg"


def main() -> None:
    """Write the pictures, and say which."""
    draw()
    if sys.argv[1:] != ["boxes"]:
        record()


def draw() -> None:
    """Write each picture that has a description beside this file."""
    for description in sorted(HERE.glob("*.yaml")):
        _keep(f"{description.stem}.svg", boxes.drawn(description))


def record() -> None:
    """Run the demo, and write what its terminal has shown, and its stack's timeline."""
    begun = datetime.now(timezone.utc)
    # Without what this make would have the other one say.
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment = {**own, "MFLAGS": "", "PYTHONUNBUFFERED": "1"}
    lines = terminal.recorded(["make", "demo"], CHECKOUT, environment)
    _keep("demo.svg", terminal.drawn("make demo", begun, lines))
    shutil.copyfile(TIMELINE, DOCS / "timeline.svg")
    print(DOCS / "timeline.svg")


def _keep(name: str, picture: str) -> None:
    path = DOCS / name
    path.write_text(picture, encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()

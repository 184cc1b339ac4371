#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for chef-client, which no package index has: checks how it was called.

It knows one recipe, ``greeting``: writes the output ``greeted`` from the attribute.
"""

import json
import os
import re
import sys
from pathlib import Path


def main() -> int:
    """Read what Chef would read; fail as it does where that is wrong."""
    options = sys.argv[1:]
    if len(options) != 5 or options[:2] != ["-z", "--config"] or options[3] != "-j":
        print(f"unexpected arguments: {options}", file=sys.stderr)
        return 64
    client = dict(re.findall(r"^(\w+) (.+)$", Path(options[2]).read_text(), re.MULTILINE))
    node = json.loads(Path(options[4]).read_text())
    if any(Path(options[at]).stat().st_mode & 0o077 for at in (2, 4)):
        print("others can read the attributes", file=sys.stderr)
        return 65
    recipe = Path(client["cookbook_path"].strip("'")) / "greeting/recipes/default.rb"
    if client["local_mode"] != "true" or node.pop("run_list") != ["recipe[greeting]"]:
        return 66
    print(f"environment {client.get('environment')}, attributes {sorted(node)}")
    if not recipe.is_file():
        print(f"cookbook greeting not found: {recipe}", file=sys.stderr)
        return 1
    print(recipe.read_text())
    Path(os.environ["heat_outputs_path"] + ".greeted").write_text(node["greeting"])  # noqa: SIM112
    return 0


if __name__ == "__main__":
    sys.exit(main())

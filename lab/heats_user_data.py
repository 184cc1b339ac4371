# SPDX-License-Identifier: Apache-2.0
"""Print the user data that Heat gives Nova for a server: run by the services' own Python.

    python heats_user_data.py < REQUEST

The request is a JSON object: ``metadata`` of the server, ``user_data`` of the template's author,
and the ``user_data_format``.
"""

# Heat is in the services' environment, not in the one that checks types.
# mypy: disable-error-code="import-not-found,import-untyped,no-any-unimported,misc"

import json
import sys

from heat.engine.clients.os.nova import NovaClientPlugin


def main() -> None:
    """Have Heat's own code make it. Of these formats none asks the plug-in for a client."""
    asked = json.load(sys.stdin)
    made = NovaClientPlugin.build_userdata(
        None, asked["metadata"], asked["user_data"], user_data_format=asked["user_data_format"]
    )
    sys.stdout.write(made or "")


if __name__ == "__main__":
    main()

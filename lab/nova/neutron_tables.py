# SPDX-License-Identifier: Apache-2.0
"""Make Neutron's tables from its models: run by the services' own Python.

    python neutron_tables.py NEUTRON_CONF

Source: ``neutron.db.migration.models.head``.
"""

# Neutron is in the services' environment, not in the one that checks types.
# mypy: disable-error-code="import-not-found,import-untyped,no-any-unimported,misc"

import sys

from neutron.common import config
from neutron.db.migration.models import head
from neutron_lib.db import api


def main() -> None:
    """Make them."""
    config.register_common_config_options()
    config.init(["--config-file", sys.argv[1]])
    head.get_metadata().create_all(api.get_writer_session().get_bind())


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Make Zaqar's tables from its own description of them: run by the services' own Python.

    python zaqar_tables.py URL

Its migrations (zaqar-sql-db-manage upgrade head) are for MySQL alone.
"""

# Zaqar is in the services' environment, not in the one that checks types.
# mypy: disable-error-code="import-not-found,import-untyped,no-any-unimported,misc"

import sys

import sqlalchemy
from zaqar.storage.sqlalchemy import tables

if __name__ == "__main__":
    tables.metadata.create_all(sqlalchemy.create_engine(sys.argv[1]))

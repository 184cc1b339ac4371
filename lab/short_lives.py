# SPDX-License-Identifier: Apache-2.0
"""Zaqar signs for a few seconds where nobody says for how long, and not for a day.

uWSGI loads it beside Zaqar's API: ``lab.start("zaqar", UWSGI_IMPORT="lab.short_lives",
LAB_SIGNED_FOR="20")``. So a test that is about the day after need not wait for it.
"""

# Zaqar is in the services' environment, not in the one that checks types.
# mypy: disable-error-code="import-not-found,import-untyped"

import os
from datetime import datetime, timedelta, timezone
from typing import Any

from zaqar.common import urls

# In place of the day that Zaqar 23.0.1 has as its default.
_LIFE = timedelta(seconds=int(os.environ["LAB_SIGNED_FOR"]))

_sign = urls.create_signed_url


def _sign_for_a_moment(
    key: Any, paths: Any, project: Any = None, expires: Any = None, methods: Any = None
) -> Any:
    end = datetime.now(timezone.utc) + _LIFE
    wanted = expires or end.strftime("%Y-%m-%dT%H:%M:%S")
    return _sign(key, paths, project=project, expires=wanted, methods=methods)


urls.create_signed_url = _sign_for_a_moment

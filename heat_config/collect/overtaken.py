# SPDX-License-Identifier: Apache-2.0
"""Whether Heat's newest message may tell of an older state than one before it.

Heat stores that a server has another deployment, and then posts all of them. Two that begin
together do so side by side, and what was stored first may be posted last: only where metadata go
to Swift does Heat put that in order (openstack-heat 27, ``engine/service_software_config.py``,
``_push_metadata_software_deployments``). The server would never learn of the other one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Between the beginnings of two deployments of which one may overtake the other, at most.
SIDE_BY_SIDE = timedelta(seconds=60)


def may_be(newest: Mapping[str, Any], known: Mapping[str, datetime]) -> bool:
    """Whether the newest metadata lack a deployment about as young as their own youngest one.

    ``known``: those of all metadata until then, by :func:`begun`. It may as well have been
    removed, so soon: Heat knows. Metadata without any deployment are Heat's word after the last
    one is gone.
    """
    own = begun(newest)
    if not own:
        return False
    youngest = max(own.values())
    return any(one not in own and at >= youngest - SIDE_BY_SIDE for one, at in known.items())


def begun(metadata: Mapping[str, Any]) -> dict[str, datetime]:
    """When each deployment was made, of those that say so, by its id.

    One that is changed has another id in its server's metadata: that of its config.
    """
    found = {}
    for item in metadata.get("deployments", []):
        if isinstance(item, dict) and (at := _time(item.get("creation_time"))):
            found[str(item.get("id"))] = at
    return found


def _time(written: object) -> datetime | None:
    """A time as Heat writes it, which is in UTC."""
    try:
        return datetime.fromisoformat(str(written)).replace(tzinfo=None)
    except ValueError:
        return None

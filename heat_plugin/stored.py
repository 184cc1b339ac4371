# SPDX-License-Identifier: Apache-2.0
"""What Heat's database has of resources that are not the one that asks."""

from __future__ import annotations

from typing import Any

from heat.objects import resource as resource_objects

from heat_plugin.posting import Stored

QUEUE = "metadata_queue_id"
"""The key among a server's data at which Heat's engine finds where to post metadata."""
SIGNATURE = "zaqar_queue_signed_url_data"
"""The key at which it finds the engine's own signed address for that queue, if there is one."""


def of_server(context: Any, server_id: str) -> Stored | None:
    """A server by its physical id, as Heat's engine finds it; None where it has no queue.

    It may be another stack's.
    """
    rows = resource_objects.Resource.get_all_by_physical_resource_id(context, server_id)
    for row in rows:
        data = {each.key: each.value for each in row.data}
        if data.get(QUEUE):
            return Stored(data[QUEUE], SIGNATURE in data, row.rsrc_metadata or {})
    return None


def of_name(context: Any, stack_id: str, name: str) -> list[str]:
    """The physical ids of a stack's resources of this name: two while one replaces the other."""
    rows = resource_objects.Resource.get_all_active_by_stack(context, stack_id).values()
    return [row.physical_resource_id for row in rows if row.name == name]

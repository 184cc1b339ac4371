# SPDX-License-Identifier: Apache-2.0
"""A stack's queues in Zaqar, as a resource of it reaches them."""

from __future__ import annotations

from typing import Any

from heat_plugin import project, trouble
from heat_plugin.project import AsProject, Place
from heat_plugin.queues import Queue


class StackZaqar:
    """Zaqar for one resource of a stack, in the stack's own project.

    Every method may ask Keystone, and raises CloudError where that did not serve it.
    """

    def __init__(self, resource: Any) -> None:
        self._resource = resource

    def is_offered(self) -> bool:
        """Whether a stack can have queues here."""
        return project.is_possible() and self._connection().find("public") is not None

    def is_offered_to_owner(self) -> bool:
        """The same, by the catalog of the stack's owner, while there is no stack yet."""
        with trouble.named("Keystone"):
            found = self._plugin.does_endpoint_exist(project.MESSAGING, "zaqar")
        return project.is_possible() and bool(found)

    def public_endpoint(self) -> str:
        """Zaqar's address as servers reach it, without a version."""
        return self._connection().public_endpoint()

    def queue(self, name: str) -> Queue:
        """One of the stack's queues."""
        return Queue(self._connection(), name)

    def require_keystone(self) -> None:
        """Fail while Keystone is away.

        Heat deletes the stack's project and its trust when the last resource is gone, and tries
        that once: a resource that has waited here has spared the stack what it could.
        """
        project.require_keystone(self._resource.context.keystone_v3_endpoint)

    @property
    def ttl(self) -> int:
        """Seconds that a message of Heat's own lives."""
        return int(self._plugin.DEFAULT_TTL)

    @property
    def _plugin(self) -> Any:
        return self._resource.client_plugin("zaqar")

    def _connection(self) -> AsProject:
        resource = self._resource
        place = Place(
            keystone=resource.context.keystone_v3_endpoint,
            project=self._project(),
            region=self._plugin._get_region_name(),
            interface=self._plugin._get_client_option("zaqar", "endpoint_type"),
        )
        return project.connection(place, resource.keystone)

    def _project(self) -> str:
        """The stack's own project, made where the stack has none yet."""
        stack = self._resource.stack
        if not stack.stack_user_project_id:
            with trouble.named("Keystone"):
                made = self._resource.keystone().create_stack_domain_project(stack.id)
            stack.set_stack_user_project_id(made)
        return str(stack.stack_user_project_id)

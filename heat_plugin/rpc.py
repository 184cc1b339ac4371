# SPDX-License-Identifier: Apache-2.0
"""Heat's engine, asked about deployments, where a failed post of metadata is no failure.

The engine stores a deployment and then posts the server's metadata. When the post fails, the
call fails although the deployment is stored: who asks again would fail for good. Here the
deployment counts as stored when it is, and that its server may not know of it is noted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from heat.common import exception
from oslo_log import log

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = log.getLogger(__name__)

# Bytes of one request's body: max_messages_post_size in zaqar.conf has this default.
LIMIT = 262_144


class Engine:
    """Heat's own client for its engine, with another way to fail for three of its calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.post_failed = False
        """Whether the last post of metadata did not come about."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def create_software_deployment(self, context: Any, **values: Any) -> Any:
        """Create a deployment and post the server's metadata."""
        call = self._client.create_software_deployment
        return self._stored(lambda: call(context, **values), context, values)

    def update_software_deployment(self, context: Any, deployment_id: str, **values: Any) -> Any:
        """Change a deployment; post the server's metadata if it is given a config."""
        call = self._client.update_software_deployment
        given = {"deployment_id": deployment_id, **values}
        return self._stored(lambda: call(context, **given), context, given)

    def delete_software_deployment(self, context: Any, deployment_id: str) -> None:
        """Delete a deployment and post the server's metadata, once: what is gone is gone."""
        try:
            self._client.delete_software_deployment(context, deployment_id)
        except Exception as error:
            if self._find(context, deployment_id) is not None:
                raise
            LOG.info("deployment %s is deleted; not posted: %s", deployment_id, _kind(error))

    def post_metadata(self, context: Any, deployment: dict[str, Any]) -> None:
        """Post the metadata of a deployment's server again; the deployment stays as it is."""
        self.update_software_deployment(
            context,
            deployment["id"],
            config_id=deployment["config_id"],
            updated_at=deployment.get("updated_time") or deployment["creation_time"],
        )

    def _stored(
        self, call: Callable[[], Any], context: Any, values: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            stored: dict[str, Any] = call()
        except Exception as error:
            found = self._find(context, values["deployment_id"])
            if found is None or found["config_id"] != values.get("config_id"):
                raise
            self._check_size(context, found["server_id"])
            self.post_failed = True
            LOG.info("deployment %s is stored; not posted: %s", found["id"], _kind(error))
            return found
        if values.get("config_id"):
            self.post_failed = False
        return stored

    def _check_size(self, context: Any, server_id: str) -> None:
        """Fail where a queue can never take the metadata, whoever posts them.

        :raises Error: they are too large; size and limit are named.
        """
        deployments = self._client.metadata_software_deployments(context, server_id)
        size = len(json.dumps(deployments))
        if size > LIMIT:
            raise exception.Error(
                f"the deployments of server {server_id} have {size} bytes as metadata; a queue of "
                f"Zaqar's takes {LIMIT}. Large values belong into an object store."
            )

    def _find(self, context: Any, deployment_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = None
        with self._client.ignore_error_by_name("NotFound"):
            found = self._client.show_software_deployment(context, deployment_id)
        return found or None


def _kind(error: Exception) -> str:
    """Only the kind is told: an error's text may hold an address."""
    return type(error).__name__

# SPDX-License-Identifier: Apache-2.0
"""Heat's engine, asked about deployments, where a failed post of metadata is no failure.

The engine stores a deployment and then posts the server's metadata. When the post fails, the
call fails although the deployment is stored: who asks again would fail for good. Here the
deployment counts as stored when it is, and that its server may not know of it is noted. What was
too large for a message is posted compressed, at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oslo_log import log

from heat_config.cloud import http
from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = log.getLogger(__name__)


class Engine:
    """Heat's own client for its engine, with another way to fail for three of its calls.

    ``post_packed`` posts the metadata of the server with an id, given the words in which Zaqar has
    refused their size; it raises CloudError.
    """

    def __init__(self, client: Any, post_packed: Callable[[str, str], None]) -> None:
        self._client = client
        self._post_packed = post_packed
        self.post_failed = False
        """Whether the last post of metadata did not come about."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def create_software_deployment(self, context: Any, **values: Any) -> Any:
        """Create a deployment and post the server's metadata.

        :raises CloudError: they are too large.
        """
        call = self._client.create_software_deployment
        return self._stored(lambda: call(context, **values), context, values)

    def update_software_deployment(self, context: Any, deployment_id: str, **values: Any) -> Any:
        """Change a deployment; post the server's metadata if it is given a config.

        :raises CloudError: they are too large.
        """
        call = self._client.update_software_deployment
        given = {"deployment_id": deployment_id, **values}
        return self._stored(lambda: call(context, **given), context, given)

    def delete_software_deployment(self, context: Any, deployment_id: str) -> None:
        """Delete a deployment and post the server's metadata, once: what is gone is gone."""
        before = self.find_software_deployment(context, deployment_id)
        try:
            self._client.delete_software_deployment(context, deployment_id)
        except Exception as error:
            if before is None or self.find_software_deployment(context, deployment_id) is not None:
                raise
            LOG.info("deployment %s is deleted; not posted: %s", deployment_id, _kind(error))
            self._post_rest(before["server_id"], error)

    def post_metadata(self, context: Any, deployment: dict[str, Any]) -> None:
        """Post the metadata of a deployment's server again; the deployment stays as it is.

        :raises CloudError: they are too large, and have never been posted.
        """
        was_posted = not self.post_failed
        try:
            self.update_software_deployment(
                context,
                deployment["id"],
                config_id=deployment["config_id"],
                updated_at=deployment.get("updated_time") or deployment["creation_time"],
            )
        except CloudError as error:
            if not was_posted:
                raise
            # Another deployment has made them so since, and fails of it.
            LOG.warning("deployment %s: not posted again: %s", deployment["id"], error)

    def _stored(
        self, call: Callable[[], Any], context: Any, values: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            stored: dict[str, Any] = call()
        except Exception as error:
            found = self.find_software_deployment(context, values["deployment_id"])
            if found is None or found["config_id"] != values.get("config_id"):
                raise
            LOG.info("deployment %s is stored; not posted: %s", found["id"], _kind(error))
            self.post_failed = not self._is_posted_packed(found["server_id"], error)
            return found
        if values.get("config_id"):
            self.post_failed = False
        return stored

    def _is_posted_packed(self, server_id: str, error: Exception) -> bool:
        """Whether the engine's post has failed by its size alone, and could be made smaller.

        :raises CloudError: it is too large all the same.
        """
        reason = http.too_large_in(str(error))
        try:
            if reason:
                self._post_packed(server_id, reason)
        except CloudError as refusal:
            if refusal.outcome is Outcome.TOO_LARGE:
                raise
            LOG.info("metadata of server %s not posted: %s", server_id, refusal)
            return False
        return bool(reason)

    def _post_rest(self, server_id: str, error: Exception) -> None:
        """What is left is posted if it can be: a deletion fails of no size."""
        try:
            self._is_posted_packed(server_id, error)
        except CloudError as refusal:
            LOG.info("metadata of server %s not posted: %s", server_id, refusal)

    def find_software_deployment(self, context: Any, deployment_id: str) -> dict[str, Any] | None:
        """A deployment by its id, if there is one."""
        found: dict[str, Any] | None = None
        with self._client.ignore_error_by_name("NotFound"):
            found = self._client.show_software_deployment(context, deployment_id)
        return found or None


def _kind(error: Exception) -> str:
    """Only the kind is told: an error's text may hold an address."""
    return type(error).__name__

# SPDX-License-Identifier: Apache-2.0
"""Heat's engine, asked about deployments, where a failed post of metadata is no failure.

The engine stores a deployment and then posts the server's metadata. When the post fails, the
call fails although the deployment is stored: who asks again would fail for good. Here the
deployment counts as stored when it is, and that its server may not know of it is noted. What was
too large for a message is posted compressed, at once. What another call has stored meanwhile is
posted again: the two posts may have come in the other order, and a server reads the newest alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from oslo_log import log

from heat_config.cloud import http
from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOG = log.getLogger(__name__)


class Metadata(Protocol):
    """The server's: see :class:`heat_plugin.metadata.ServerMetadata`."""

    def deployments(self) -> frozenset[str]:
        """The ids of the configs that are stored for it."""

    def post(self) -> None:
        """Post what is stored; raises CloudError."""

    def post_packed(self, reason: str) -> None:
        """Post it compressed, as Zaqar has refused its size in these words; raises CloudError."""


class Engine:
    """Heat's own client for its engine, with another way to fail for three of its calls."""

    def __init__(self, client: Any, metadata: Metadata) -> None:
        self._client = client
        self._metadata = metadata
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
            with self._overtaking():
                self._client.delete_software_deployment(context, deployment_id)
        except Exception as error:
            if before is None or self.find_software_deployment(context, deployment_id) is not None:
                raise
            LOG.info("deployment %s is deleted; not posted: %s", deployment_id, _kind(error))
            self._post_rest(error)

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
        own = values.get("config_id")
        if not own:  # then nothing is posted
            return dict(call())
        self.post_failed = False
        try:
            with self._overtaking(own):
                return dict(call())
        except Exception as error:
            found = self.find_software_deployment(context, values["deployment_id"])
            if found is None or found["config_id"] != own:
                raise
            LOG.info("deployment %s is stored; not posted: %s", found["id"], _kind(error))
            self.post_failed = not self._is_posted_packed(error)
            return found

    @contextmanager
    def _overtaking(self, *own: str) -> Iterator[None]:
        """Post again, after a post, what another deployment has stored since it was asked for.

        ``own``: the config that this one stores.
        """
        before = self._metadata.deployments()
        yield
        if self._metadata.deployments() - before - {*own}:
            try:
                self._metadata.post()
            except CloudError as error:
                self.post_failed = True
                LOG.info("not posted again, after another deployment of the server: %s", error)

    def _is_posted_packed(self, error: Exception) -> bool:
        """Whether the engine's post has failed by its size alone, and could be made smaller.

        :raises CloudError: it is too large all the same.
        """
        reason = http.too_large_in(str(error))
        try:
            if reason:
                self._metadata.post_packed(reason)
        except CloudError as refusal:
            if refusal.outcome is Outcome.TOO_LARGE:
                raise
            LOG.info("the server's metadata are not posted: %s", refusal)
            return False
        return bool(reason)

    def _post_rest(self, error: Exception) -> None:
        """What is left is posted if it can be: a deletion fails of no size."""
        try:
            self._is_posted_packed(error)
        except CloudError as refusal:
            LOG.info("the server's metadata are not posted: %s", refusal)

    def find_software_deployment(self, context: Any, deployment_id: str) -> dict[str, Any] | None:
        """A deployment by its id, if there is one."""
        found: dict[str, Any] | None = None
        with self._client.ignore_error_by_name("NotFound"):
            found = self._client.show_software_deployment(context, deployment_id)
        return found or None


def _kind(error: Exception) -> str:
    """Only the kind is told: an error's text may hold an address."""
    return type(error).__name__

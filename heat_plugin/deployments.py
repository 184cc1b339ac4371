# SPDX-License-Identifier: Apache-2.0
"""Deployments: Heat's own classes with AUTO and ZAQAR_MESSAGE, that read a queue without loss."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from heat.engine import resource
from heat.engine import software_config_io as swc_io
from heat.engine.resources.openstack.heat import software_deployment as heats
from heat.engine.resources.openstack.heat import structured_config as heats_structured
from oslo_log import log

from heat_config.cloud import signed
from heat_config.cloud.errors import CloudError
from heat_plugin import (
    leftover,
    namesakes,
    options,
    queues,
    reading,
    record,
    stored,
    transport,
    watched,
)
from heat_plugin.chosen import OVER_ZAQAR, Chosen, attributes_with, schema_with
from heat_plugin.metadata import ServerMetadata
from heat_plugin.rpc import Engine
from heat_plugin.transport import Choice
from heat_plugin.waiting import attempt
from heat_plugin.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heat_config.cloud.zaqar import Message

LOG = log.getLogger(__name__)


class Addressed(Chosen):
    """A deployment that gives each action a queue of its own, and the server its address."""

    _queue_name: str = ""
    _address: signed.Address | None = None
    _progress: signed.Address | None = None
    # Of the queues that are deleted with the deployment:
    _spared_queue: str = ""
    _leaves_queues: bool = False

    def _create_user(self) -> None:
        """Make the user also where an earlier try was cut short."""
        leftover.made_anew(self, super()._create_user)

    def _build_derived_inputs(self, action: str, source: Any) -> list[Any]:
        """Add the address, and say of every queue that is read here how it is."""
        self._decide()
        if self._transport in OVER_ZAQAR and not self._queue_name:
            self._open_queue()
        inputs = [self._as_given(each) for each in super()._build_derived_inputs(action, source)]
        if self._address:
            values = {
                self.DEPLOY_SIGNAL_ID: signed.written(self._address),
                self.DEPLOY_SIGNAL_VERB: "POST",
            }
            if self._progress:
                values[signed.PROGRESS] = signed.written(self._progress)
            inputs += [swc_io.InputConfig(name=name, value=text) for name, text in values.items()]
        return inputs

    def _as_given(self, derived: Any) -> Any:
        if derived.name() != self.DEPLOY_SIGNAL_TRANSPORT:
            return derived
        used = self._transport
        named = transport.ON_THE_WIRE if used in OVER_ZAQAR else used
        return swc_io.InputConfig(**{**derived.as_dict(), "value": named})

    def _open_queue(self) -> None:
        name, of_progress = queues.new_name(), ""
        if self._transport == transport.ZAQAR_MESSAGE:
            self._address = self._signed(name, queues.RESULT_METHODS)
        if self._is_watched:
            of_progress = queues.new_name()
            self._progress = self._signed(of_progress, queues.PROGRESS_METHODS)
        kept, unneeded = self._record.moved(name)
        self._keep(kept)
        unwatched = self._keep_watched(of_progress)
        self._queue_name = name
        for each in (unneeded, *unwatched):
            if each:
                self._forget(each)

    def _signed(self, name: str, methods: Sequence[str]) -> signed.Address:
        """An address that outlives the action."""
        life = self.stack.timeout_secs() + queues.MARGIN
        return self._zaqar.queue(name).address(self._zaqar.public_endpoint(), methods, life)

    def _keep_watched(self, name: str) -> list[str]:
        """Note the queue of this action's progress, if it has one; return those not needed."""
        before = self.data().get(watched.KEY)
        kept, unneeded = watched.moved(before, name)
        if kept != (before or "[]"):
            self.data_set(watched.KEY, kept, redact=True)
        return unneeded

    def _get_zaqar_signal_queue_id(self) -> str:
        """The queue of a deployment with a user: it is this action's own.

        Without this plug-in Heat goes on with another one, on which nothing has been: it would
        take an acknowledgement for a result. It then reads as the user, since a signature that
        it has made before ends.
        """
        self._get_heat_signal_credentials()
        if not self.data().get("zaqar_signal_queue_id"):
            self.data_set("zaqar_signal_queue_id", queues.new_name())
        self.data_delete("zaqar_queue_signed_url_data")
        return self._queue_name

    def _delete_zaqar_signal_queue(self) -> None:
        heats_own = self.data().get("zaqar_signal_queue_id") or ""
        of_progress = watched.names(self.data().get(watched.KEY))
        names = {*self._record.queues, *of_progress, heats_own} - {"", self._spared_queue}
        for name in names:
            (self._leave if self._leaves_queues else self._drop_queue)(name)
        self.data_delete("zaqar_signal_queue_id")
        self.data_delete(record.KEY)
        self.data_delete(watched.KEY)

    def _drop_queue(self, name: str) -> None:
        self._zaqar.queue(name).delete()

    def _leave(self, name: str) -> None:
        LOG.warning("%s is deleted, its queue %s is left: Zaqar is away", self.name, name)

    def _forget(self, name: str) -> None:
        """Delete a queue that nobody needs, if that can be done at once."""
        try:
            self._drop_queue(name)
        except CloudError as error:
            LOG.warning("%s leaves its queue %s: %s", self.name, name, error)


class SoftwareDeployment(Addressed):
    """OS::Heat::SoftwareDeployment with AUTO and ZAQAR_MESSAGE."""

    properties_schema = schema_with(heats.SoftwareDeployment.properties_schema)
    attributes_schema = attributes_with(heats.SoftwareDeployment.attributes_schema)

    _engine: Engine | None = None

    def rpc_client(self) -> Engine:
        """Heat's engine, where a failed post of metadata is no failure."""
        if self._engine is None:
            metadata = ServerMetadata(self.context, self._zaqar, self.properties[self.SERVER])
            self._engine = Engine(super().rpc_client(), metadata)
        return self._engine

    def handle_signal(self, details: Any) -> str:
        """As Heat, but for the deployment of this name that waits.

        While a resource is replaced there are two of its name, and Heat gives a signal to either.
        """
        all_of_name = partial(stored.of_name, self.context, self.stack.id, self.name)
        found = namesakes.waiting(self.resource_id, all_of_name, self._waits)
        told: str = self.rpc_client().signal_software_deployment(self.context, found, details)
        return told

    def _waits(self, deployment_id: str) -> bool:
        found = self.rpc_client().find_software_deployment(self.context, deployment_id)
        return bool(found and found["status"] == self.IN_PROGRESS)

    def handle_create(self) -> Work:
        """Begin as soon as that is possible: see _advance."""
        return self._work(super().handle_create)

    def handle_update(self, json_snippet: Any, tmpl_diff: Any, prop_diff: Any) -> Work:
        """As Heat, with a queue of its own; who only wants to watch from now on runs nothing."""
        begin = partial(super().handle_update, json_snippet, tmpl_diff, prop_diff)
        if watched.is_all(prop_diff) and not tmpl_diff.metadata_changed():
            return self._work(partial(self._unless_well, begin))
        return self._work(begin)

    def _unless_well(self, begin: Callable[[], Any]) -> Any:
        """Begin, unless what was deployed before has ended well."""
        deployment = self.resource_id and self.rpc_client().show_software_deployment(
            self.context, self.resource_id
        )
        is_well = deployment and deployment["status"] == self.COMPLETE
        return None if is_well else begin()

    def handle_delete(self) -> Work:
        """As Heat, with a queue of its own."""
        return self._work(super().handle_delete)

    def handle_suspend(self) -> Work:
        """As Heat, with a queue of its own."""
        return self._work(super().handle_suspend)

    def handle_resume(self) -> Work:
        """As Heat, with a queue of its own."""
        return self._work(super().handle_resume)

    def check_create_complete(self, work: Work) -> bool:
        """Go on with it."""
        return self._advance(work)

    def check_update_complete(self, work: Work) -> bool:
        """Go on with it."""
        return self._advance(work)

    def check_suspend_complete(self, work: Work) -> bool:
        """Go on with it."""
        return self._advance(work)

    def check_resume_complete(self, work: Work) -> bool:
        """Go on with it."""
        return self._advance(work)

    def check_delete_complete(self, work: Work) -> bool:
        """Go on with it; a server that is gone has nothing to answer."""
        if not work.has_begun:
            attempt(work, work.begin)
        if work.deployment and self._server_exists(work.deployment):
            self._advance(work)
            # What is acknowledged there has not been looked at yet.
            self._spared_queue = self._queue_name
        self._leaves_queues = work.leaves_queues
        attempt(work, self._delete_resource)
        attempt(work, self._zaqar.require_keystone)
        return True

    def _delete_resource(self) -> None:
        """As Heat; what needs the cloud comes first, so that it can be done again."""
        self._delete_signals()
        self._delete_user()
        super()._delete_resource()

    def _work(self, begin: Callable[[], Any]) -> Work:
        self._queue_name, self._address, self._progress = "", None, None
        return Work(self.name, begin)

    def _advance(self, work: Work) -> bool:
        """Begin the action if that has not been possible yet, and wait for its result.

        With convergence the thread is the resource's own: short pauses are made in it. Without,
        it is the whole stack's.

        :raises PollDelay: Heat calls again after that; the only other end is True.
        """
        if not work.has_begun:
            attempt(work, work.begin)
        if not work.deployment:
            return True
        while not attempt(work, partial(self._look, work)):
            pause = work.pause()
            if pause >= 1 or not self.stack.convergence:
                raise resource.PollDelay(math.ceil(pause))
            time.sleep(pause)
        return bool(self._check_complete())

    def _look(self, work: Work) -> bool:
        """Look at the queue, and at the deployment in Heat; return whether Heat waits no longer.

        An empty queue says enough, as long as Heat was asked lately.
        """
        listed = None
        if self._queue_name and not self._is_asking_due(work):
            listed = self._zaqar.queue(self._queue_name).messages()
            if not listed:
                return False
        deployment = self.rpc_client().show_software_deployment(self.context, self.resource_id)
        work.asked()
        ended = bool(deployment["status"] != self.IN_PROGRESS)
        if ended:
            work.see_end()
        if self._queue_name:
            ended = self._read(work, deployment, listed, ended=ended)
        if not ended:
            self._post_again(work, deployment)
        return ended

    def _is_asking_due(self, work: Work) -> bool:
        return work.is_asking_due() or self._is_post_due(work)

    def _is_post_due(self, work: Work) -> bool:
        failed = self.rpc_client().post_failed
        return work.is_post_due(options.metadata_again_after(), failed=failed)

    def _read(
        self,
        work: Work,
        deployment: dict[str, Any],
        listed: Sequence[Message] | None,
        *,
        ended: bool,
    ) -> bool:
        """Look at the queue; what remains to be done there does not hold up the stack for long."""
        try:
            return reading.read(
                self._zaqar.queue(self._queue_name),
                deployment["config_id"],
                partial(self._signal_heat, work),
                ended=ended,
                nameless=self._transport == transport.ZAQAR_SIGNAL,
                listed=listed,
            )
        except CloudError as error:
            if not work.may_leave:
                raise
            LOG.warning("%s: not acknowledged to the server: %s", work.name, error)
            return True

    def _signal_heat(self, work: Work, details: dict[str, Any]) -> None:
        self.rpc_client().signal_software_deployment(self.context, self.resource_id, details)
        work.see_end()

    def _post_again(self, work: Work, deployment: dict[str, Any]) -> None:
        """Post the server's metadata again where it may not have reached the server."""
        engine = self.rpc_client()
        if self._is_post_due(work):
            engine.post_metadata(self.context, deployment)
            work.posted(failed=engine.post_failed)


class StructuredDeployment(SoftwareDeployment, heats_structured.StructuredDeployment):
    """OS::Heat::StructuredDeployment with AUTO and ZAQAR_MESSAGE."""

    properties_schema = schema_with(heats_structured.StructuredDeployment.properties_schema)


class SoftwareDeploymentWithUser(SoftwareDeployment):
    """The same; AUTO makes a user, for an agent that knows no signed address."""

    def _auto(self) -> Choice:
        return options.auto_signal_with_user()


class StructuredDeploymentWithUser(StructuredDeployment):
    """The same; AUTO makes a user, for an agent that knows no signed address."""

    def _auto(self) -> Choice:
        return options.auto_signal_with_user()


class _Members:
    """A group, whose members get no word of progress where its template has none."""

    def get_resource_def(self, include_all: bool = False) -> dict[str, Any]:
        """As Heat; what is not given is left to the operator's default."""
        found: dict[str, Any] = super().get_resource_def(include_all)  # type: ignore[misc]
        if found.get(watched.PROPERTY) is None:
            found.pop(watched.PROPERTY, None)
        return found


class SoftwareDeploymentGroup(_Members, heats.SoftwareDeploymentGroup):
    """OS::Heat::SoftwareDeploymentGroup, whose members take the transport that it names."""

    properties_schema = schema_with(heats.SoftwareDeploymentGroup.properties_schema)


class StructuredDeploymentGroup(_Members, heats_structured.StructuredDeploymentGroup):
    """OS::Heat::StructuredDeploymentGroup, whose members take the transport that it names."""

    properties_schema = schema_with(heats_structured.StructuredDeploymentGroup.properties_schema)

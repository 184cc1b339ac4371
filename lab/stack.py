# SPDX-License-Identifier: Apache-2.0
"""Heat stacks: created, waited for, looked at, with python-heatclient.

The one module of the lab that is not for its own use: the demo and the tests
drive Heat with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from heatclient import client, exc
from keystoneauth1 import loading, session

# Seconds after which what has not come is taken never to come: many times what
# it takes on a slow machine.
PATIENCE = 120.0
# Seconds between two looks.
PACE = 0.2


class Heat:
    """The orchestration API, as the user that owns the stacks.

    ``endpoint``: where it is, if not where the catalog says.
    """

    def __init__(self, environment: Mapping[str, str], endpoint: str | None = None) -> None:
        names = ("username", "password", "project_name", "user_domain_name", "project_domain_name")
        options = {name: environment[f"OS_{name.upper()}"] for name in names}
        loader: Any = loading.get_plugin_loader("password")
        auth = loader.load_from_options(auth_url=environment["OS_AUTH_URL"], **options)
        self.api = client.Client(
            "1", session=session.Session(auth=auth), endpoint_override=endpoint
        )

    def create(
        self,
        name: str,
        template: dict[str, Any],
        *,
        minutes: int = 5,
        environment: dict[str, Any] | None = None,
        files: dict[str, str] | None = None,
        **parameters: Any,
    ) -> Stack:
        """Begin to create a stack, which Heat gives up after so many minutes.

        ``environment``: what ``openstack stack create -e`` would be given; ``files``: those that
        the template names, by these names.
        """
        made = self.api.stacks.create(
            stack_name=name,
            template=template,
            parameters=parameters,
            environment=environment or {},
            files=files or {},
            timeout_mins=minutes,
        )
        return Stack(self.api, made["stack"]["id"])

    def find(self, name: str) -> Stack | None:
        """The stack of this name, if there is one."""
        try:
            found = self.api.stacks.get(name, resolve_outputs=False)
        except exc.HTTPNotFound:
            return None
        return Stack(self.api, found.id)

    def delete(self, name: str) -> None:
        """Delete a stack of this name if there is one."""
        if found := self.find(name):
            found.delete()


class Stack:
    """One stack."""

    def __init__(self, api: Any, stack_id: str) -> None:
        self._api = api
        self.id = stack_id

    @property
    def state(self) -> str:
        """Such as CREATE_COMPLETE."""
        return str(self._api.stacks.get(self.id, resolve_outputs=False).stack_status)

    @property
    def reason(self) -> str:
        """Why it is in that state, in Heat's words."""
        return str(self._api.stacks.get(self.id, resolve_outputs=False).stack_status_reason)

    def output(self, name: str) -> Any:
        """The value of one of its outputs."""
        return self._api.stacks.output_show(self.id, name)["output"]["output_value"]

    def suspend(self) -> None:
        """Begin to suspend it."""
        self._api.actions.suspend(self.id)

    def resume(self) -> None:
        """Begin to resume it."""
        self._api.actions.resume(self.id)

    def update(
        self,
        template: dict[str, Any],
        *,
        environment: dict[str, Any] | None = None,
        files: dict[str, str] | None = None,
        **parameters: Any,
    ) -> None:
        """Begin to update it; ``environment``, ``files``: see :meth:`Heat.create`."""
        self._api.stacks.update(
            self.id,
            template=template,
            parameters=parameters,
            environment=environment or {},
            files=files or {},
        )

    def wait_for_server(self) -> dict[str, Any]:
        """What the server must be given to find its metadata: the stack's output ``server``."""
        return dict(wait_for("the server's configuration", self._server))

    def _server(self) -> Any:
        """What it is told, once that names where its metadata is: Heat may have it in two steps."""
        try:
            found = self.output("server") or {}
        except exc.HTTPException:
            return None
        return found if set(found.get("collectors", [])) - {"ec2", "local"} else None

    def wait(
        self,
        action: str,
        meanwhile: Callable[[], Any] = lambda: None,
        patience: float = PATIENCE,
        pace: float = PACE,
    ) -> str:
        """Wait until an action has ended; return how: COMPLETE or FAILED."""

        def ended() -> str | None:
            meanwhile()
            current, _, status = self.state.partition("_")
            return status if current == action and status != "IN_PROGRESS" else None

        return str(wait_for(f"{action} of {self.id}", ended, patience, pace))

    def wait_for_output(self, name: str, value: Any) -> None:
        """Wait until an output has this value."""
        wait_for(f"{name} of {self.id}", lambda: self.output(name) == value)

    def delete(self) -> None:
        """Delete it and wait until it is gone."""
        self.begin_to_delete()
        self.wait_until_gone()

    def begin_to_delete(self) -> None:
        """Begin to delete it."""
        self._api.stacks.delete(self.id)

    def wait_until_gone(self) -> None:
        """Wait until it is deleted."""

        def gone() -> bool:
            try:
                return self.state == "DELETE_COMPLETE"
            except exc.HTTPNotFound:
                return True

        wait_for(f"the deletion of {self.id}", gone)


def wait_for(
    what: str, found: Callable[[], Any], patience: float = PATIENCE, pace: float = PACE
) -> Any:
    """Ask until there is an answer, after so many seconds each time.

    :raises TimeoutError: there was none for so many seconds.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(pace)
    raise TimeoutError(f"{what} did not come within {patience:.0f} s")

# SPDX-License-Identifier: Apache-2.0
"""``heat-config-heat-turn-back``: give stacks Heat's own transports, before the plug-in goes.

It is a client of Heat's API, in the project and in the name that the variables ``OS_…`` name, since
Heat lets nobody update the stacks of another project. Without ``--yes`` it only lists.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from heatclient import client, exc
from keystoneauth1 import exceptions, loading

from heat_plugin import turning
from heat_plugin.transport import CFN_SIGNAL, POLL_SERVER_CFN, ZAQAR_MESSAGE, ZAQAR_SIGNAL
from heat_plugin.turning import OURS, PROPERTY, Files, To, Use

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAM = "heat-config-heat-turn-back"

# Seconds between two looks at a stack that is being updated.
_PAUSE = 2.0
# Heat's own limit for stacks within stacks is 5.
_DEPTH = 10


class TurnError(Exception):
    """A stack that stays as it is; the message says why."""


class Options(NamedTuple):
    """What the caller wants."""

    yes: bool
    to: To
    minutes: int
    """For each stack's update; its servers run their deployments again within it."""


def main(argv: Sequence[str] | None = None) -> int:
    """0: Heat alone understands all stacks; 1: not all of them; 2: Heat cannot be asked."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(arguments)
    given = parser.parse_args(arguments)
    options = Options(given.yes, To(given.signal, given.server), given.minutes)
    try:
        api = _api(given)
        left = [each for each in _stacks(api, given.stack) if not _settled(each, options)]
    except (exc.BaseException, exceptions.ClientException) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    print(f"{len(left)} stacks need the plug-in")
    return 1 if left else 0


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Give stacks Heat's own transports, before the plug-in goes."
    )
    parser.add_argument("stack", nargs="*", help="names or ids; without any, all of the project")
    parser.add_argument("--yes", action="store_true", help="update them; else only list them")
    parser.add_argument("--minutes", type=int, default=60, help="for the update of each stack")
    heats = [ZAQAR_SIGNAL, CFN_SIGNAL, "TEMP_URL_SIGNAL", "HEAT_SIGNAL", "NO_SIGNAL"]
    parser.add_argument("--signal", choices=heats, default=ZAQAR_SIGNAL)
    servers = [ZAQAR_MESSAGE, POLL_SERVER_CFN, "POLL_SERVER_HEAT", "POLL_TEMP_URL"]
    parser.add_argument("--server", choices=servers, default=ZAQAR_MESSAGE)
    parser.add_argument("--os-region-name", default=os.environ.get("OS_REGION_NAME"))
    loading.register_session_argparse_arguments(parser)
    loading.register_auth_argparse_arguments(parser, arguments, default="password")
    return parser


def _api(given: argparse.Namespace) -> Any:
    auth = loading.load_auth_from_argparse_arguments(given)
    session = loading.load_session_from_argparse_arguments(given, auth=auth)
    return client.Client("1", session=session, region_name=given.os_region_name)


def _stacks(api: Any, names: Sequence[str]) -> Iterator[Stack]:
    found = [api.stacks.get(each, resolve_outputs=False) for each in names]
    for each in found if names else list(api.stacks.list()):
        yield Stack(api, each.id, each.stack_name)


class Stack:
    """One stack, with those within it. Every method asks Heat, and raises heatclient's errors."""

    def __init__(self, api: Any, stack_id: str, name: str) -> None:
        self._api = api
        self.id = stack_id
        self.name = name

    def files(self) -> Files:
        """What it is made of."""
        parameters = self._api.stacks.get(self.id, resolve_outputs=False).parameters
        stacks = self._api.stacks
        return Files(stacks.template(self.id), stacks.files(self.id) or {}, parameters)

    def in_use(self) -> list[Use]:
        """The transports that its resources have now, also where no template names one."""
        listed = self._api.resources.list(self.id, nested_depth=_DEPTH)
        return [use for each in listed if each.resource_type in PROPERTY for use in self._of(each)]

    def _of(self, resource: Any) -> Iterator[Use]:
        prop = PROPERTY[resource.resource_type]
        (within,) = (each["href"] for each in resource.links if each["rel"] == "stack")
        stack_id = within.rpartition("/")[2]
        # Heat shows what its own API says of a deployment, and no more unless it is asked for.
        found = self._api.resources.get(stack_id, resource.resource_name, with_attr=[prop])
        used = found.attributes.get(prop)
        if used in OURS[prop]:
            yield Use(resource.resource_name, f"uses {used}")

    def update(self, made: Files, environment: dict[str, Any], minutes: int) -> None:
        """Give it these templates; all else stays as it is.

        :raises TurnError: the update fails, or takes too long.
        """
        before = self._seen()
        if before.stack_status.endswith("IN_PROGRESS"):
            raise TurnError(f"it is {before.stack_status}: try again when that has ended")
        self._api.stacks.update(
            self.id,
            existing=True,
            template=made.template,
            files=made.files,
            environment=environment,
            timeout_mins=minutes,
        )
        self._wait(before.updated_time, minutes)

    def _wait(self, before: str | None, minutes: int) -> None:
        # A minute more than Heat's own limit, which is what ends it.
        end = time.monotonic() + (minutes + 1) * 60
        seen = self._seen()
        while seen.updated_time == before or seen.stack_status.endswith("IN_PROGRESS"):
            if time.monotonic() > end:
                break
            time.sleep(_PAUSE)
            seen = self._seen()
        if seen.stack_status != "UPDATE_COMPLETE":
            raise TurnError(f"its update is {seen.stack_status}: {seen.stack_status_reason}")

    def _seen(self) -> Any:
        return self._api.stacks.get(self.id, resolve_outputs=False)


def _settled(stack: Stack, options: Options) -> bool:
    """Whether Heat alone understands the stack, now or from now on."""
    try:
        files = stack.files()
        found = [*turning.uses(files), *stack.in_use()]
    except exc.HTTPNotFound:  # deleted since it was listed
        return True
    if not found:
        return True
    lines = [f"    {each.written()}" for each in found]
    print("\n".join([f"{stack.name} ({stack.id})", *lines]), flush=True)
    try:
        said = _turn(stack, files, options) if options.yes else _can(files, options)
    except (TurnError, exc.HTTPException) as error:
        said = f"cannot be turned: {error}"
    print(f"    -> {said}", flush=True)
    return said == _TURNED


_TURNED = "turned"


def _can(files: Files, options: Options) -> str:
    _made(files, options)
    return "--yes turns it"


def _turn(stack: Stack, files: Files, options: Options) -> str:
    made = _made(files, options)
    stack.update(made, turning.environment(files), options.minutes)
    if left := [*turning.uses(stack.files()), *stack.in_use()]:
        raise TurnError(f"after its update there is still {left[0].written()}")
    return _TURNED


def _made(files: Files, options: Options) -> Files:
    """The stack's templates as they are to be.

    :raises TurnError: they cannot be made from outside.
    """
    if obstacles := turning.obstacles(files):
        raise TurnError("; ".join(obstacles))
    made = turning.turned(files, options.to)
    if made == files:
        raise TurnError("no template of it is in HOT and names what is in use: change it yourself")
    return made

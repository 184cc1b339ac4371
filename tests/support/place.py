# SPDX-License-Identifier: Apache-2.0
"""A program in a server's place: it takes its metadata from its queue, and answers at once.

It speaks as the agent does, with a user or with signed addresses, and keeps nothing on a disk.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, NamedTuple

from heat_config.cloud import inputs, packed, signed
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.keystone import User
from heat_config.cloud.trust import Trust
from heat_config.cloud.zaqar import AsSigned, AsUser, Queue
from tests.support.answering import result

_CLIENT_ID = str(uuid.uuid4())
_TTL = 3600
# Seconds after which it looks whether Heat has a result; the agent does so after a minute.
_CONFIRM_AFTER = 5.0


class Item(NamedTuple):
    """One deployment as the metadata have it."""

    config_id: str
    name: str
    values: dict[str, Any]


class Place:
    """One server's place. ``given`` is what the server is told at its boot.

    Every method may ask Keystone and Zaqar, and raises CloudError where they did not serve it.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self._queue = _server_queue(given["zaqar"])
        self._answered: dict[str, Item] = {}
        self._posted: dict[str, float] = {}
        self._items: list[Item] = []

    def new(self) -> list[Item]:
        """What is to be run and was not answered yet, of the newest metadata."""
        messages = list(self._queue.unclaimed())
        if messages:
            newest: Any = packed.unpacked(messages[-1].body)
            self._items = [_item(each) for each in newest["deployments"]]
            self._queue.delete([each.id for each in messages])
        return [each for each in self._items if each.config_id not in self._answered]

    def answer(self, item: Item, **outputs: Any) -> None:
        """Post the result."""
        _result_queue(item).post(result(item.config_id, **outputs), _TTL)
        self._answered[item.config_id] = item
        if _address(item):
            self._posted[item.config_id] = time.monotonic()

    def confirm(self) -> None:
        """Post again what is neither on its queue nor acknowledged."""
        due = time.monotonic() - _CONFIRM_AFTER
        for config_id in [each for each, posted in self._posted.items() if posted < due]:
            item = self._answered[config_id]
            bodies = [message.body for message in _result_queue(item).unclaimed()]
            del self._posted[config_id]
            if any(signed.acknowledges(body, config_id) for body in bodies):
                continue
            if not bodies:
                self.answer(item)
            self._posted[config_id] = time.monotonic()

    def turn(self) -> None:
        """What a server does again and again."""
        for item in self.new():
            self.answer(item)
        self.confirm()


def _item(found: dict[str, Any]) -> Item:
    values = {each["name"]: each.get("value") for each in found["inputs"]}
    return Item(found["id"], found["name"], values)


def _address(item: Item) -> signed.Address | None:
    text = item.values.get("deploy_signal_id")
    return signed.parse(str(text)) if signed.is_signed(text) else None


def _server_queue(section: dict[str, Any]) -> Queue:
    if text := section.get("signed_address"):
        return Queue(AsSigned(signed.parse(text), Trust()), section["queue_id"], _CLIENT_ID)
    user = User(Credentials.from_section({"region_name": None, **section}), Trust())
    return Queue(AsUser(user), section["queue_id"], _CLIENT_ID)


def _result_queue(item: Item) -> Queue:
    if address := _address(item):
        return Queue(AsSigned(address, Trust()), address.queue, _CLIENT_ID)
    (name,) = inputs.require(item.values, "deploy_queue_id")
    return Queue(AsUser(User(Credentials.from_inputs(item.values), Trust())), name, _CLIENT_ID)

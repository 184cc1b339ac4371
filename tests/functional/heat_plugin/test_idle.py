# SPDX-License-Identifier: Apache-2.0
"""What a signed server costs to which nothing happens, against one with a user.

Both look equally often (tests/unit/collect/test_pace.py): here it is what one look costs.
"""

from __future__ import annotations

from dataclasses import replace

from heat_config.cloud import signed
from lab import Lab
from lab.wire import Wire
from tests.support.collecting import Collecting
from tests.support.signing import Signing
from tests.support.wires import address


def test_a_look_at_an_empty_queue_costs_no_more_than_a_users(
    lab: Lab, wired: Collecting, wire: Wire
) -> None:
    wired.command = "true"
    with Wire(address(lab.auth_url)) as keystone:
        wired.values["auth_url"] = f"{keystone.url}/v3/"
        of_user = requests(wired, wire, keystone)
        made = Signing(lab).address("GET", "DELETE")
        wired.values = {"signed_address": signed.written(replace(made, endpoint=wire.url))}
        of_address = requests(wired, wire, keystone)
    assert of_user[0] == of_address[0] == ["GET"]
    # In an hour the token costs one request more; the address none.
    assert of_user[1]
    assert of_address[1] == []


def requests(collecting: Collecting, zaqar: Wire, keystone: Wire) -> tuple[list[str], list[str]]:
    """The methods of one look's requests to Zaqar and to Keystone."""
    zaqar.history.clear()
    keystone.history.clear()
    collecting.once()
    assert collecting.status == 0
    zaqars, keystones = ([each.method for each in one.history] for one in (zaqar, keystone))
    return zaqars, keystones

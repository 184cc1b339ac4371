# SPDX-License-Identifier: Apache-2.0
"""The deployment's own stack user, in whose name its result is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heat_config.cloud import keystone
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heat_config.cloud.keystone import User
    from heat_config.settings import Settings


def user_of(address: Mapping[str, Any], settings: Settings) -> User:
    """The user that an address names.

    :raises CloudError: an input is missing, or the file of certificates cannot be read.
    """
    return keystone.user_of(Credentials.from_inputs(address), Trust.from_settings(settings))

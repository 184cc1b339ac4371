# SPDX-License-Identifier: Apache-2.0
"""The inputs that a transport cannot work without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heat_config.cloud.errors import CloudError, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping


def require(values: Mapping[str, Any], *names: str) -> list[str]:
    """The values of inputs, each a text that is not empty.

    :raises CloudError: one is not; it is named.
    """
    unusable = [name for name in names if not isinstance(values.get(name), str) or not values[name]]
    if unusable:
        names_given = ", ".join(unusable)
        raise CloudError(f"the deployment has no usable input {names_given}", Outcome.UNUSABLE)
    return [values[name] for name in names]

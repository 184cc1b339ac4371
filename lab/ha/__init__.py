# SPDX-License-Identifier: Apache-2.0
"""The control plane as many run it: each part twice, and something between that fails over.

Two heat-engines with RabbitMQ between them and the APIs; two Zaqar processes behind haproxy, with
their messages in two pools, each a Redis master with a replica, watched by three Sentinels.
Keystone and PostgreSQL are one each, as in the other profiles.
"""

from __future__ import annotations

from .profile import HA, make_tables, prepare, register_pools
from .services import services

__all__ = ["HA", "make_tables", "prepare", "register_pools", "services"]

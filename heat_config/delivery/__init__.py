# SPDX-License-Identifier: Apache-2.0
"""From a result on disk to its acknowledgement.

:mod:`~heat_config.delivery.policy` decides, without I/O; :mod:`~heat_config.delivery.courier`
does what it says, and keeps each step in the :mod:`~heat_config.delivery.outbox`.
"""

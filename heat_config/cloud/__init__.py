# SPDX-License-Identifier: Apache-2.0
"""What both directions know of the cloud: whose request it is, and what an answer means.

:mod:`~heat_config.cloud.keystone` is slow to import: who may not need it imports it late.
"""

# SPDX-License-Identifier: Apache-2.0
"""The one error that ends an installation."""

from __future__ import annotations


class InstallError(Exception):
    """It cannot be installed, or not be removed; the message says why and what helps."""

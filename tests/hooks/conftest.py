# SPDX-License-Identifier: Apache-2.0
"""One control plane for the tests of the hooks."""

from tests.functional.conftest import create_stack, heat, lab

__all__ = ["create_stack", "heat", "lab"]

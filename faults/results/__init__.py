# SPDX-License-Identifier: Apache-2.0
"""The way out, ``python -m faults``: results, from the hook to Heat."""

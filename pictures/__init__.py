# SPDX-License-Identifier: Apache-2.0
"""The pictures of README and docs/, each drawn from what it shows: ``make pictures``."""

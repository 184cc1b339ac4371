# SPDX-License-Identifier: Apache-2.0
"""Comparisons with what people run today; each is a program: ``python -m bench.idle``."""

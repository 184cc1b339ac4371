# SPDX-License-Identifier: Apache-2.0
"""Times as people read them, and where the marks of an axis are."""

from __future__ import annotations

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400)


def duration(seconds: float) -> str:
    """Such as ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60, "s")
    return _two(whole // 3600, "h", whole % 3600 // 60, "min")


def _two(large: int, unit: str, small: int, lesser: str) -> str:
    return f"{large} {unit} {small} {lesser}" if small else f"{large} {unit}"


def marks(seconds: float, most: int = 8) -> list[int]:
    """Seconds after the begin where an axis has its marks: round, and not too many."""
    step = next((each for each in _STEPS if seconds / each <= most), 0)
    if not step:
        step = _STEPS[-1] * -int(-seconds // (most * _STEPS[-1]))
    return list(range(0, int(seconds) + 1, step))

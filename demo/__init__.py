# SPDX-License-Identifier: Apache-2.0
"""The main job from end to end: ``make demo``."""

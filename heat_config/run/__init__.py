# SPDX-License-Identifier: Apache-2.0
"""From what Heat asks for to a result on disk.

:mod:`~heat_config.run.loop` is the one loop; the others are its steps and its memory.
"""

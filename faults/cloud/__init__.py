# SPDX-License-Identifier: Apache-2.0
"""Breaks the parts of a control plane under real stacks (``python -m faults.cloud``).

On the lab's profile whose parts are there twice (lab/ha). The schedules of a wave go side by side
through CREATE, UPDATE and DELETE, and one injury befalls them all in each.
"""

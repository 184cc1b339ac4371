# SPDX-License-Identifier: Apache-2.0
"""Many servers at once on a real Zaqar and a real Keystone: ``python -m scale``.

Their collect and delivery code is the agent's own, many of them in each process; Heat's part is
the plug-in's own code for queues. There is no Heat: the point is the messaging.
"""

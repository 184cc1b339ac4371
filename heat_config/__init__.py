# SPDX-License-Identifier: Apache-2.0
"""The agent that runs OpenStack Heat's software deployments on a server."""

__version__ = "0.1.0"

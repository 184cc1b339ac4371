# SPDX-License-Identifier: Apache-2.0
"""What the subcommands of ``heat-config`` do, one module each."""

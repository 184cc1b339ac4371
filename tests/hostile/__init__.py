# SPDX-License-Identifier: Apache-2.0
"""What comes from outside and is not what it must be, through all the programs of a server."""

# SPDX-License-Identifier: Apache-2.0
"""Heat's plug-in against Heat alone, in the same run: what each does when things go wrong."""

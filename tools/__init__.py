# SPDX-License-Identifier: Apache-2.0
"""What the Makefile and the linters run, and what writes parts of the documentation."""

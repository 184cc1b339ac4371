# SPDX-License-Identifier: Apache-2.0
"""What tests, benchmarks and fault schedules share. None of it is a test, and it imports none."""

# SPDX-License-Identifier: Apache-2.0
"""The hostile inputs, a module for each way in; each is named, and JSON's are text as it comes.

``python -m tests.support.hostile`` lists and counts them.
"""

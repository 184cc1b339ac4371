# SPDX-License-Identifier: Apache-2.0
"""What is measured, against what people run today and against a floor: ``python3 -m bench``."""

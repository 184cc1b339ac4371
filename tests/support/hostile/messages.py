# SPDX-License-Identifier: Apache-2.0
"""What may be on the server's queue and is not its metadata, as JSON texts."""

from __future__ import annotations

import json

from tests.support.hostile.values import ON_A_QUEUE, VALUES

# Metadata with one section that is wrong; the rest has nothing to run.
SECTIONS = ("null", "NaN", "empty text", "map of a map", "nested 200", "list of lists")

INPUTS = {
    **ON_A_QUEUE,
    **{f"deployments: {name}": f'{{"deployments": {VALUES[name]}}}' for name in SECTIONS},
    **{
        f"os-collect-config: {name}": f'{{"deployments": [], "os-collect-config": {VALUES[name]}}}'
        for name in SECTIONS
    },
    "another's event": json.dumps({"event": "message_inserted", "queue": "q"}),
    "a result": json.dumps({"deploy_stdout": "", "deploy_status_code": 0}),
    "packed, and nothing in it": json.dumps({"heat_config_packed": ""}),
    "packed, and no base64": json.dumps({"heat_config_packed": "\u1234!"}),
    "a megabyte of keys": json.dumps({f"key-{number}": number for number in range(20_000)}),
}

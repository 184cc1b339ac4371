# SPDX-License-Identifier: Apache-2.0
"""What came of a deployment: the one answer that Heat gets.

Heat takes the first message as final and one without a status code as a
success (``service_software_config.signal_software_deployment``), so a result
always has a status code, whatever a hook printed.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from heat_config.process import Completed

STDOUT = "deploy_stdout"
STDERR = "deploy_stderr"
STATUS_CODE = "deploy_status_code"


class Result(NamedTuple):
    """Outputs, what was written, and the status code: 0 is success."""

    status_code: int | str
    stdout: str = ""
    stderr: str = ""
    outputs: dict[str, Any] = {}  # noqa: RUF012 - never changed, as nothing of it is

    def as_dict(self) -> dict[str, Any]:
        """The message: Heat ignores the keys that are no declared outputs."""
        return {
            **self.outputs,
            STDOUT: self.stdout,
            STDERR: self.stderr,
            STATUS_CODE: self.status_code,
        }

    def as_json(self, limit: int | None = None) -> str:
        """The message in ASCII, of at most ``limit`` bytes.

        The outputs are kept whole and the ends of stderr and stdout as far as
        there is room. Outputs that alone are too large turn the result into a
        failure that says so: half an output would be a wrong one.
        """
        text = json.dumps(self.as_dict())
        if limit is None or len(text) <= limit:
            return text
        room = limit - len(json.dumps(self._replace(stdout="", stderr="").as_dict()))
        if room < 2 * _ROOM_FOR_NOTE:
            return self._too_large(limit).as_json(limit)
        stderr = _tail(self.stderr, max(room // 2, room - _escaped_size(self.stdout)))
        stdout = _tail(self.stdout, room - _escaped_size(stderr))
        return json.dumps(self._replace(stdout=stdout, stderr=stderr).as_dict())

    def masked(self, secrets: Iterable[str]) -> Result:
        """The same without the secrets, wherever a hook has repeated them."""
        hidden = tuple(secrets)
        return self._map(lambda text: redact.text(text, hidden))

    def _map(self, change: Callable[[str], str]) -> Result:
        return Result(*(_map_texts(part, change) for part in self))

    def _too_large(self, limit: int) -> Result:
        sizes = {name: len(json.dumps(value)) for name, value in self.outputs.items()}
        largest = max(sizes, key=lambda name: sizes[name])
        reason = (
            f"the outputs do not fit into the {limit} bytes that the signal may have: "
            f"{largest!r} alone has {sizes[largest]}. Write less to it, or put the data "
            "elsewhere and return its address. "
        )
        return Result(status_code=self.status_code or 1, stderr=reason + self.stderr)


def failure(reason: str, status_code: int = 1) -> Result:
    """A deployment that failed before, or without, a hook's own answer."""
    return Result(status_code=status_code, stderr=reason)


def from_hook(completed: Completed) -> Result:
    """Read a hook's answer: one JSON object on stdout, and exit status 0.

    Where stdout is something else, stdout, stderr and the exit status are the
    answer. A hook that failed is a failure, whatever its JSON says.
    """
    answer = _json_object(completed.stdout)
    if answer is None:
        stderr = _decoded(completed.stderr)
        if completed.returncode:
            stderr += f"the hook {completed.ending}\n"
        return Result(completed.status, _decoded(completed.stdout), stderr)
    status_code = answer.pop(STATUS_CODE, None)
    if status_code is None or (completed.returncode and str(status_code) == "0"):
        status_code = completed.status
    if not isinstance(status_code, (int, str)):
        status_code = 1
    result = Result(
        status_code=status_code,
        stdout=_as_text(answer.pop(STDOUT, None)),
        stderr=_as_text(answer.pop(STDERR, None)),
        outputs=answer,
    )
    # JSON may carry half a surrogate pair, which no UTF-8 text can: the queue
    # would refuse the message.
    return result._map(lambda text: text.encode("utf-8", "replace").decode("utf-8"))


def from_dict(message: dict[str, Any]) -> Result:
    """Read back a message; see :meth:`Result.as_dict`."""
    outputs = dict(message)
    return Result(
        status_code=outputs.pop(STATUS_CODE, 0),
        stdout=_as_text(outputs.pop(STDOUT, None)),
        stderr=_as_text(outputs.pop(STDERR, None)),
        outputs=outputs,
    )


_NOTE = "[{} characters left out; the whole text is on the server]\n"
_ROOM_FOR_NOTE = 100


def _tail(text: str, room: int) -> str:
    """The end of a text that takes at most ``room`` bytes as JSON."""
    if _escaped_size(text) <= room:
        return text
    room -= _ROOM_FOR_NOTE
    start = bisect_left(range(len(text)), -room, key=lambda index: -_escaped_size(text[index:]))
    return _NOTE.format(start) + text[start:]


def _escaped_size(text: str) -> int:
    return len(json.dumps(text)) - len('""')


def _json_object(stdout: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(stdout)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Apply a change to every text in nested data, to the keys too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _map_texts(part, change) for key, part in value.items()}
    if isinstance(value, list):
        return [_map_texts(part, change) for part in value]
    return value

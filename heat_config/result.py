# SPDX-License-Identifier: Apache-2.0
"""What came of a deployment: the one answer that Heat gets.

Heat takes the first message as final and one without a status code as a
success (``service_software_config.signal_software_deployment``), so a result
always has a status code, whatever a hook printed.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import readable
from heat_config.mask import LONGEST_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from heat_config.process import Completed

STDOUT = "deploy_stdout"
STDERR = "deploy_stderr"
STATUS_CODE = "deploy_status_code"
# An output of ours: true for a run that was cut and counts as failed.
INTERRUPTED = "deploy_interrupted"
# Another: when the hook was begun and ended, where a config declares it.
TIMES = "deploy_times"
# Characters of a status code, which is kept whole where all else of a result is shortened.
LONGEST_CODE = 100


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

    def fitted(self, limit: int, log: str) -> Result:
        """The same in at most ``limit`` bytes of ASCII JSON.

        The outputs are kept whole and the ends of stderr and stdout as far as
        there is room, with a line that names the ``log`` where all of it is.
        Outputs that alone are too large turn the result into a failure that says
        so: half an output would be a wrong one.
        """
        if len(self.as_json()) <= limit:
            return self
        room = limit - len(self._replace(stdout="", stderr="").as_json())
        if room < 2 * len(_note(0, log)) + _ROOM_FOR_REASON:
            return self._too_large(limit).fitted(limit, log)
        stderr = _tail(self.stderr, max(room // 2, room - _escaped_size(self.stdout)), log)
        stdout = _tail(self.stdout, room - _escaped_size(stderr), log)
        return self._replace(stdout=stdout, stderr=stderr)

    def as_json(self) -> str:
        """The message in ASCII."""
        return json.dumps(self.as_dict())

    def explained(self, names: Iterable[str]) -> Result:
        """A failure, with its reason as each of these outputs that the hook has not written.

        Of a result Heat shows in the stack's status reason no more than the status
        code and the outputs that are declared with ``error_output: true``
        (``service_software_config.signal_software_deployment``).
        """
        if not self.failed:
            return self
        return self._replace(outputs={**dict.fromkeys(names, self.reason), **self.outputs})

    @property
    def reason(self) -> str:
        """Of what was written, what says why a run has failed: at most about 1000 characters."""
        return _shortened(self.stderr.strip() or self.stdout.strip())

    @property
    def failed(self) -> bool:
        """Whether Heat will take it for a failure."""
        return not _is_zero(self.status_code)

    def masked(self, mask: Callable[[str], str]) -> Result:
        """The same without the secrets, wherever a hook has repeated them."""
        return self._map(mask)

    def _map(self, change: Callable[[str], str]) -> Result:
        return Result(*(_map_texts(part, change) for part in self))

    def _too_large(self, limit: int) -> Result:
        sizes = {name: len(json.dumps(value)) for name, value in self.outputs.items()}
        largest = max(sizes, key=lambda name: sizes[name])
        reason = (
            f"the outputs do not fit into the {limit} bytes that the signal may have: "
            f"{largest[:80]!r} alone has {sizes[largest]}. Write less to it, or put the data "
            "elsewhere and return its address.\n"
        )
        return Result(status_code=self.status_code if self.failed else 1, stderr=reason)


def failure(reason: str, status_code: int = 1) -> Result:
    """A deployment that failed before, or without, a hook's own answer."""
    return Result(status_code=status_code, stderr=reason)


def from_hook(completed: Completed) -> Result:
    """Read a hook's answer: one JSON object on stdout, and exit status 0.

    Where stdout is something else, stdout, stderr and the exit status are the
    answer. A hook that failed is a failure, whatever its JSON says. So is one with a
    status code that cannot be sent.
    """
    answer = answer_of(completed.stdout)
    if answer is None:
        return _raw(completed)
    status_code = answer.pop(STATUS_CODE, None)
    if status_code is None or completed.was_ended or _is_zero(status_code):
        status_code = completed.status
        if completed.status:
            answer[STDERR] = f"{_as_text(answer.get(STDERR))}the hook {completed.ending}\n"
    if not isinstance(status_code, (int, str)):
        status_code = 1
    result = Result(
        status_code=status_code,
        stdout=_as_text(answer.pop(STDOUT, None)),
        stderr=_as_text(answer.pop(STDERR, None)),
        outputs=answer,
    )
    return _with_usable_code(result)._map(_sound)


def _raw(completed: Completed) -> Result:
    """What a hook has written, where that is no JSON object."""
    stderr = text_of(completed.stderr, completed.stderr_dropped)
    status_code = completed.status
    if status_code:
        stderr += f"the hook {completed.ending}\n"
    elif completed.stdout_dropped:
        # It may have been an answer, of a failure too, that has lost its beginning.
        stderr += "the hook wrote more to stdout than an answer may have\n"
        status_code = 1
    return Result(status_code, text_of(completed.stdout, completed.stdout_dropped), stderr)


def from_dict(message: dict[str, Any]) -> Result:
    """Read back a message; see :meth:`Result.as_dict`."""
    outputs = dict(message)
    result = Result(
        status_code=outputs.pop(STATUS_CODE, 0),
        stdout=_as_text(outputs.pop(STDOUT, None)),
        stderr=_as_text(outputs.pop(STDERR, None)),
        outputs=outputs,
    )
    return _with_usable_code(result)._map(_sound)


def text_of(raw: bytes, dropped: int) -> str:
    """The end of a stream as text, with a line for what was dropped before it."""
    if not dropped:
        return raw.decode("utf-8", "replace")
    start = _whole_from(raw)
    return _note(dropped + start, "its log") + raw[start:].decode("utf-8", "replace")


def _whole_from(raw: bytes) -> int:
    """Where the end of a stream begins with a whole line: half a secret would not be masked.

    Of a line without an end as much is left out as a secret has; at least the rest of a
    character whose beginning was dropped.
    """
    after_line = raw.find(b"\n", 0, LONGEST_SECRET) + 1
    start = after_line or (LONGEST_SECRET if len(raw) > 2 * LONGEST_SECRET else 0)
    return next((at for at in range(start, start + 4) if raw[at : at + 1] not in _LATER), start)


# The bytes with which no character begins in UTF-8.
_LATER = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))

# Room for a reason, beside the two notes.
_ROOM_FOR_REASON = 100


def _note(left_out: int, log: str) -> str:
    return f"[{left_out} bytes left out; all of it is on the server in {log}]\n"


# Characters of a reason: a stack's status reason is one line of a list.
_LONGEST_REASON = 1000


def _shortened(reason: str) -> str:
    """A reason's beginning, where most tools say it, and its end, where a script does."""
    if len(reason) <= _LONGEST_REASON:
        return reason
    half = _LONGEST_REASON // 2
    return f"{reason[:half]} […] {reason[-half:]}"


_NOTE = re.compile(r"\[(\d+) bytes left out; all of it is on the server in .*\]\n")


def _tail(text: str, room: int, log: str) -> str:
    """The end of a text that takes at most ``room`` bytes as JSON."""
    if _escaped_size(text) <= room:
        return text
    noted = _NOTE.match(text)  # what was left out before counts, too
    text = text[noted.end() :] if noted else text
    before = int(noted[1]) if noted else 0
    room -= _escaped_size(_note(before + 4 * len(text), log))
    start = bisect_left(range(len(text)), -room, key=lambda index: -_escaped_size(text[index:]))
    left_out = before + len(text[:start].encode("utf-8", "replace"))
    return _note(left_out, log) + text[start:]


def _escaped_size(text: str) -> int:
    return len(json.dumps(text)) - len('""')


def answer_of(stdout: bytes) -> dict[str, Any] | None:
    """A hook's answer, one JSON object; None where it has written something else."""
    try:
        answer = readable.loads(stdout)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _with_usable_code(result: Result) -> Result:
    """The result; with a status code that cannot be sent it is a failure that says so.

    Zaqar takes no integer of more than 64 bits, and no transport takes a text of any length.
    """
    code: object = result.status_code
    text = code if isinstance(code, str) else json.dumps(code)
    is_small = not isinstance(code, int) or -(1 << 63) <= code < 1 << 63
    if is_small and len(text) <= LONGEST_CODE and readable.LEFT_OUT not in text:
        return result
    reason = f"{STATUS_CODE} is no status code: {text[:LONGEST_CODE]!r}, {len(text)} characters\n"
    return result._replace(status_code=1, stderr=result.stderr + reason)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _sound(text: str) -> str:
    """A text that UTF-8 can carry: JSON may hold half a surrogate pair, which Zaqar refuses."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_zero(status_code: object) -> bool:
    """Whether Heat would take this for a success."""
    return not status_code or str(status_code) == "0"


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Apply a change to every text in nested data, to the keys too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _map_texts(part, change) for key, part in value.items()}
    if isinstance(value, list):
        return [_map_texts(part, change) for part in value]
    return value

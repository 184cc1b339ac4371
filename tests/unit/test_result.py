# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heat_config.process import Completed
from heat_config.result import Result, from_dict, from_hook, text_of

LOG = "/log/c1.log"


def hook_says(stdout: bytes, returncode: int = 0, stderr: bytes = b"") -> dict[str, Any]:
    return from_hook(Completed(returncode, stdout, stderr)).as_dict()


@pytest.mark.parametrize("rest", ["et of the line\n", "x" * 5000, "x" * 5000 + "\n", "ü" * 4095])
def test_what_is_kept_of_a_stream_does_not_begin_with_half_a_secret(rest: str) -> None:
    raw = f"{rest}{'kept ' * 4000}\nkept".encode()
    note, left = text_of(raw, 100).split("\n", 1)
    assert raw.decode().endswith(left)
    assert left.count("kept") == 4001
    left_out = len(raw) - len(left.encode())
    assert left_out >= min(len(rest.encode()), 4096)
    assert note.startswith(f"[{100 + left_out} bytes left out")


def test_a_hooks_json_is_the_result() -> None:
    said = {"deploy_stdout": "o", "deploy_stderr": "e", "deploy_status_code": 0, "x": [1]}
    assert hook_says(json.dumps(said).encode()) == said


@pytest.mark.parametrize("stdout", [b"", b"hello", b"[1]", b"7", b"null", b'{"a"'])
def test_what_is_no_json_object_is_the_result_itself(stdout: bytes) -> None:
    assert hook_says(stdout, 0, b"log") == {
        "deploy_stdout": stdout.decode(),
        "deploy_stderr": "log",
        "deploy_status_code": 0,
    }


@pytest.mark.parametrize("stdout", [b"", b"{}", b'{"deploy_status_code": 0}', b'{"x": 1}'])
@pytest.mark.parametrize(("returncode", "status"), [(3, 3), (-9, 137)])
def test_a_hook_that_failed_is_never_a_success(stdout: bytes, returncode: int, status: int) -> None:
    assert hook_says(stdout, returncode)["deploy_status_code"] == status


def test_a_result_always_has_a_status_code() -> None:
    assert hook_says(b"{}")["deploy_status_code"] == 0
    assert hook_says(b'{"deploy_status_code": null}')["deploy_status_code"] == 0
    assert hook_says(b'{"deploy_status_code": [1]}')["deploy_status_code"] == 1


def test_half_a_surrogate_pair_does_not_reach_the_queue() -> None:
    said = hook_says(b'{"deploy_stdout": "\\ud800", "x": {"\\udc00": ["\\ud800"]}}')
    json.dumps(said, ensure_ascii=False).encode("utf-8")


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert hook_says(b"\xff\xfe", 1)["deploy_stdout"] == "\ufffd\ufffd"


def test_a_result_that_fits_is_left_alone() -> None:
    result = Result(0, "out", "err", {"a": "b"})
    assert result.fitted(10_000, LOG) == result


def test_the_ends_of_stdout_and_stderr_are_kept_and_the_outputs_whole() -> None:
    result = Result(1, "o" * 50_000 + "END", "é" * 50_000 + "LAST", {"a": "v" * 1000})
    text = result.fitted(10_000, LOG).as_json()
    said = json.loads(text)
    assert len(text) <= 10_000
    assert said["a"] == "v" * 1000
    assert said["deploy_stdout"].endswith("END")
    assert said["deploy_stderr"].endswith("LAST")
    assert "bytes left out; all of it is on the server in /log/c1.log]" in said["deploy_stdout"]


def test_a_short_stderr_leaves_its_room_to_stdout() -> None:
    said = Result(1, "o" * 50_000, "short").fitted(10_000, LOG).as_dict()
    assert said["deploy_stderr"] == "short"
    assert len(said["deploy_stdout"]) > 9_000


def test_outputs_that_are_too_large_fail_and_are_named() -> None:
    text = Result(0, "o", "e", {"small": 1, "huge": "x" * 20_000}).fitted(10_000, LOG).as_json()
    said = json.loads(text)
    assert len(text) <= 10_000
    assert said["deploy_status_code"] == 1
    assert "'huge' alone has 20002" in said["deploy_stderr"]
    assert "huge" not in said


@given(
    st.text(max_size=3000),
    st.text(max_size=3000),
    st.dictionaries(st.text(max_size=50), st.text(max_size=2000), max_size=3),
    st.integers(min_value=1000, max_value=6000),
)
def test_a_limit_is_always_met(out: str, err: str, outputs: dict[str, str], limit: int) -> None:
    text = Result(0, out, err, outputs).fitted(limit, LOG).as_json()
    assert len(text) <= limit
    assert "deploy_status_code" in json.loads(text)


def test_secrets_are_masked_wherever_a_hook_repeats_them() -> None:
    result = Result(0, "pw hunter22", "hunter22", {"a": ["hunter22", {"hunter22": 1}]})
    assert "hunter22" not in result.masked(lambda text: text.replace("hunter22", "***")).as_json()


def test_a_message_is_read_back() -> None:
    result = Result(2, "o", "e", {"x": 1})
    assert from_dict(result.as_dict()) == result


def test_a_character_that_was_cut_is_left_out_and_counted() -> None:
    raw = "ü€😀end".encode()
    for dropped in range(1, len("ü€😀".encode()) + 1):
        note, text = text_of(raw[dropped:], dropped).split("\n")
        assert "\ufffd" not in text
        assert note.startswith(f"[{len(raw) - len(text.encode())} bytes left out")


class TestExplained:
    def test_gives_a_failures_reason_to_the_outputs_that_are_not_there(self) -> None:
        made = Result(2, stderr="it broke\n", outputs={"a": "kept"}).explained(["a", "b"])
        assert made.outputs == {"a": "kept", "b": "it broke"}

    def test_takes_stdout_where_stderr_says_nothing(self) -> None:
        assert Result(2, stdout="said\n", stderr="\n").explained(["a"]).outputs == {"a": "said"}

    def test_leaves_a_success_alone(self) -> None:
        assert Result(0, stderr="a warning").explained(["a"]) == Result(0, stderr="a warning")

    def test_keeps_the_beginning_and_the_end_of_a_long_reason(self) -> None:
        said = Result(1, stderr="first" + "x" * 5000 + "last").explained(["a"]).outputs["a"]
        assert said.startswith("first")
        assert said.endswith("last")
        assert len(said) < 1100


# The parser of JSON refuses an integer of more than some thousand digits by itself.
def test_a_status_code_too_long_to_be_read_is_a_failure() -> None:
    result = hook_says(json.dumps({"deploy_status_code": 10**4000}).encode())
    assert result["deploy_status_code"] == 1
    assert "more than 300 digits" in result["deploy_stderr"]


@pytest.mark.parametrize("code", ["x" * 101, "0" * 300_000, 1 << 63, -(1 << 63) - 1, 10**299])
@pytest.mark.parametrize("read", [hook_says, lambda said: from_dict(json.loads(said)).as_dict()])
def test_a_status_code_that_cannot_be_sent_is_a_failure_that_says_so(
    code: str | int, read: Callable[[bytes], dict[str, Any]]
) -> None:
    said = {"deploy_status_code": code, "deploy_stderr": "e\n", "x": 1}
    result = read(json.dumps(said).encode())
    assert (result["deploy_status_code"], result["x"]) == (1, 1)
    reason = f"e\ndeploy_status_code is no status code: {str(code)[:100]!r}, {len(str(code))} char"
    assert result["deploy_stderr"].startswith(reason)
    assert len(from_dict(result).fitted(2_048, LOG).as_json()) <= 2_048


@pytest.mark.parametrize("code", [0, 255, -1, (1 << 63) - 1, "x" * 100])
def test_a_status_code_that_can_be_sent_stays(code: str | int) -> None:
    said = {"deploy_status_code": code, "deploy_stderr": ""}
    assert hook_says(json.dumps(said).encode())["deploy_status_code"] == code
    assert from_dict(said).status_code == code

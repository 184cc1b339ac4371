# SPDX-License-Identifier: Apache-2.0
"""The file of an entry: what is written is read, and what is not usable does no harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heat_config import readable
from heat_config.delivery.entry import (
    VERSION,
    DamagedError,
    Entry,
    NewerError,
    Stage,
    as_dict,
    first_stage,
    place_of,
    read,
)

QUEUE = {"deploy_queue_id": "q", "deploy_auth_url": "http://keystone/v3"}
URL = {"deploy_signal_id": "http://heat/signal"}
SIGNED = {"deploy_signal_id": "zaqar+https://host/v2/queues/q/messages?"}
MESSAGE = {"deploy_status_code": 0}
NUMBERS = ("since", "wait", "due", "waited", "answered")
COUNTS = ("tries", "refusals", "content_refusals", "unanswered")
OPTIONAL = ("stage", *NUMBERS, *COUNTS, "limit", "problem")


def written(**more: Any) -> dict[str, Any]:
    """What the file of a new entry holds, with other values."""
    return {**as_dict(Entry("c1", QUEUE, MESSAGE, Stage.NEW)), **more}


def read_from(content: Any) -> tuple[Entry, list[str]]:
    return read(json.dumps(content).encode(), "c1")


numbers = st.floats(0, 1 << 53)
counts = st.integers(0, 1 << 53)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=5,
)
objects = st.dictionaries(st.text(max_size=5), st.text() | st.integers(), min_size=1, max_size=3)
entries = st.builds(
    Entry,
    id=st.just("c1"),
    address=objects,
    message=objects,
    stage=st.sampled_from(Stage),
    **dict.fromkeys(NUMBERS, numbers),
    **dict.fromkeys(COUNTS, counts),
    limit=st.none() | st.integers(2_048, 300_000),
    problem=st.text(),
    unknown=st.dictionaries(st.sampled_from(["later", "and more"]), st.text()),
)


@given(entries)
def test_an_entry_reads_as_it_was_written(entry: Entry) -> None:
    found, wrong = read_from(as_dict(entry))
    assert (found, wrong) == (entry, [])


def test_an_output_is_kept_as_it_is_however_deep() -> None:
    """A hook's answer may have as many levels as are read of it; the entry has one more."""
    deep: Any = "end"
    for _ in range(readable.DEEPEST - 1):
        deep = [deep]
    message = {"deploy_status_code": 0, "output": deep}
    assert readable.loads(json.dumps(message)) == message
    assert read_from(written(message=message))[0].message == message


@given(json_values)
def test_any_json_is_read_or_named(content: Any) -> None:
    with pytest.raises((DamagedError, NewerError)):
        read_from(content)


@given(st.binary())
def test_any_bytes_are_read_or_named(raw: bytes) -> None:
    with pytest.raises(DamagedError):
        read(raw, "c1")


@given(st.sampled_from(OPTIONAL), json_values)
def test_any_value_of_a_key_is_usable_or_named(name: str, value: Any) -> None:
    found, wrong = read_from(written(**{name: value}))
    if wrong:
        assert wrong == [f"{name} is {str(value)[:80]!r}"]
        safe = Entry("c1", QUEUE, MESSAGE, Stage.MAYBE_NOTIFIED if name == "stage" else Stage.NEW)
        assert found == safe
    else:
        assert as_dict(found)[name] == value
        # A file that was written anew is usable.
        assert read_from(as_dict(found)) == (found, [])


@pytest.mark.parametrize("name", [*NUMBERS, *COUNTS])
@pytest.mark.parametrize(
    "value", ["5", None, True, -1, [], {}, float("nan"), float("inf"), 1 << 54, 10**400]
)
def test_what_is_no_number_is_noticed(name: str, value: Any) -> None:
    found, wrong = read_from(written(**{name: value}))
    assert len(wrong) == 1
    assert wrong[0].startswith(f"{name} is ")
    assert found == Entry("c1", QUEUE, MESSAGE, Stage.NEW)


@pytest.mark.parametrize("name", [*COUNTS, "limit"])
def test_a_count_is_whole(name: str) -> None:
    assert read_from(written(**{name: 1.5}))[1] == [f"{name} is '1.5'"]


@pytest.mark.parametrize("value", [None, 7, "", "NEW", "newer", [], {}])
def test_a_stage_that_is_unknown_is_neither_lost_nor_doubled(value: Any) -> None:
    found, wrong = read_from(written(stage=value))
    assert found.stage is Stage.MAYBE_NOTIFIED
    assert wrong == [f"stage is {str(value)!r}"]
    assert read_from(written(stage=value, address=URL))[0].stage is Stage.REPEATABLE


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_is_missing_is_safe(name: str) -> None:
    content = written()
    del content[name]
    found, wrong = read_from(content)
    stage = Stage.MAYBE_NOTIFIED if name == "stage" else Stage.NEW
    assert (found, wrong) == (Entry("c1", QUEUE, MESSAGE, stage), [])


def test_several_wrong_values_are_all_named() -> None:
    found, wrong = read_from(written(since="today", tries=[], problem=3, stage="new"))
    assert [each.split()[0] for each in wrong] == ["since", "tries", "problem"]
    assert found.stage is Stage.NEW


def test_a_long_wrong_value_is_cut() -> None:
    (wrong,) = read_from(written(due="x" * 10_000))[1]
    assert len(wrong) < 100


def test_unknown_keys_are_kept() -> None:
    later = {"later": {"a": [1]}, "and more": None}
    found, wrong = read_from(written(**later))
    assert found.unknown == later
    assert not wrong
    content = as_dict(found._replace(tries=2))
    assert {name: content[name] for name in later} == later
    assert "unknown" not in content


def test_an_unknown_key_never_replaces_a_known_one() -> None:
    found = Entry("c1", QUEUE, MESSAGE, Stage.NEW, unknown={"stage": "done", "version": 9})
    assert read_from(as_dict(found))[0].stage is Stage.NEW


@pytest.mark.parametrize("version", [VERSION + 1, 10**9, "2", 1.5, None, []])
def test_a_newer_file_is_left_to_the_agent_that_wrote_it(version: Any) -> None:
    with pytest.raises(NewerError, match=f"this agent knows {VERSION}"):
        read_from({"version": version, "anything": "else"})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"7",
        b"null",
        b"[" * 100_000,
        b'{"version":1,"id":"c1"',
    ],
)
def test_a_torn_file_is_damaged(raw: bytes) -> None:
    with pytest.raises(DamagedError):
        read(raw, "c1")


@pytest.mark.parametrize("name", ["address", "message"])
@pytest.mark.parametrize("value", [None, "", [], {}, 3])
def test_a_file_without_address_or_result_is_damaged(name: str, value: Any) -> None:
    with pytest.raises(DamagedError, match="no address and result"):
        read_from(written(**{name: value}))


@pytest.mark.parametrize("config_id", ["c2", None, 1, ["c1"]])
def test_a_file_of_another_config_is_damaged(config_id: Any) -> None:
    with pytest.raises(DamagedError, match="its id is not that of its name"):
        read_from(written(id=config_id))


def before(**more: Any) -> dict[str, Any]:
    """An entry's file as it was before it had a version."""
    return {
        "id": "c1",
        "values": QUEUE,
        "message": MESSAGE,
        "since": 5.0,
        "doubt": True,
        "heat_doubt": False,
        "tries": 3,
        "refusals": 2,
        "bad_content": True,
        "due": 7.0,
        "problem": "why",
        "told_heat": False,
        "forced": False,
        **more,
    }


@pytest.mark.parametrize(
    ("flags", "stage"),
    [
        ({}, Stage.MAYBE_QUEUED),
        ({"doubt": False}, Stage.NEW),
        ({"doubt": 0}, Stage.MAYBE_QUEUED),
        ({"heat_doubt": True}, Stage.MAYBE_NOTIFIED),
        ({"doubt": False, "heat_doubt": True}, Stage.MAYBE_NOTIFIED),
        ({"told_heat": True}, Stage.CLEANING),
        ({"told_heat": True, "heat_doubt": True, "forced": True}, Stage.CLEANING),
        ({"forced": True}, Stage.FORCED),
        ({"forced": True, "doubt": False}, Stage.FORCED),
        ({"forced": True, "heat_doubt": True}, Stage.FORCED),
        ({"values": URL}, Stage.REPEATABLE),
        ({"values": URL, "doubt": False, "forced": True}, Stage.REPEATABLE),
    ],
)
def test_a_file_of_the_format_before_is_upgraded(flags: dict[str, Any], stage: Stage) -> None:
    content = before(**flags)
    found, wrong = read_from(content)
    expected = Entry("c1", content["values"], MESSAGE, stage, since=5.0, problem="why")
    assert (found, wrong) == (expected, [])
    assert as_dict(found)["version"] == VERSION
    assert read_from(as_dict(found)) == (found, [])


def test_an_old_file_may_lack_all_but_the_result() -> None:
    found, wrong = read_from({"id": "c1", "values": QUEUE, "message": MESSAGE})
    assert (found, wrong) == (Entry("c1", QUEUE, MESSAGE, Stage.MAYBE_QUEUED), [])


def test_wrong_values_of_the_format_before_are_noticed() -> None:
    found, wrong = read_from(before(since="today", problem=[]))
    assert wrong == ["since is 'today'", "problem is '[]'"]
    assert found.since == 0.0


@pytest.mark.parametrize("values", [None, [], "q", {}])
def test_an_old_file_without_an_address_is_damaged(values: Any) -> None:
    with pytest.raises(DamagedError):
        read_from(before(values=values))


@pytest.mark.parametrize(
    ("address", "program", "forced", "stage"),
    [
        (QUEUE, None, False, Stage.NEW),
        (QUEUE, None, True, Stage.FORCED),
        (QUEUE, "/bin/notify", False, Stage.REPEATABLE),
        (QUEUE, "/bin/notify", True, Stage.REPEATABLE),
        (URL, None, False, Stage.REPEATABLE),
        (URL, None, True, Stage.REPEATABLE),
        ({"deploy_auth_url": "http://keystone/v3"}, None, True, Stage.REPEATABLE),
        (SIGNED, None, False, Stage.SIGNED),
        (SIGNED, None, True, Stage.SIGNED),
        (SIGNED, "/bin/notify", False, Stage.REPEATABLE),
    ],
)
def test_where_a_way_begins(
    address: dict[str, Any], program: str | None, forced: bool, stage: Stage
) -> None:
    assert first_stage(address, program=program, forced=forced) is stage


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (QUEUE, "q"),
        ({"deploy_queue_id": 7}, "7"),
        (URL, "http://heat/signal"),
        ({"deploy_stack_id": "s/1", "deploy_resource_name": "r"}, "('s/1', 'r')"),
        ({**SIGNED, "deploy_stack_id": "s/1", "deploy_resource_name": "r"}, "('s/1', 'r')"),
        (SIGNED, None),
        ({"deploy_stack_id": "s/1"}, None),
        ({}, None),
    ],
)
def test_the_configs_of_one_deployment_share_a_place(address: dict[str, Any], place: Any) -> None:
    assert place_of(address) == place
    assert Entry("c1", address, MESSAGE, Stage.NEW).place == place


def test_each_stage_says_how_far_a_result_has_come() -> None:
    delivered = {stage for stage in Stage if stage.is_delivered}
    unconfirmed = {stage for stage in Stage if stage.is_unconfirmed}
    assert delivered == {
        Stage.WATCHING,
        Stage.UNTAKEN,
        Stage.CLEANING,
        Stage.CLEANING_AGAIN,
        Stage.DONE,
    }
    assert unconfirmed == {
        Stage.MAYBE_QUEUED,
        Stage.MAYBE_NOTIFIED,
        Stage.LAST_LOOK,
        Stage.LAST_RESORT,
        Stage.WAITING_FOR_HEAT,
    }
    accepted = {stage for stage in Stage if stage.is_accepted}
    assert accepted == {*delivered, Stage.WAITING_FOR_HEAT}

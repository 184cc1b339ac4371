# SPDX-License-Identifier: Apache-2.0
"""From the queue to the disk: what is kept, what is deleted, and what a kill does to it."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from heat_config import files
from heat_config.cloud import packed
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.cloud.zaqar import Message
from heat_config.collect import metadata
from heat_config.collect.inbox import MOST_REJECTED, Inbox
from heat_config.collect.source import ASK_HEAT_EVERY, Reason, Source

SCHEDULES = 500


class KilledError(BaseException):
    """The process ends here."""


class FakeQueue:
    """A queue in memory, whose every step can be the last of the process."""

    def __init__(self) -> None:
        self.there: dict[str, Any] = {}
        self.step: Callable[[str], None] = lambda _: None
        self._posted = 0

    def post(self, body: object) -> None:
        self._posted += 1
        self.there[f"m{self._posted}"] = body

    def messages(self) -> Iterator[Message]:
        self.step("list")
        for message_id, body in list(self.there.items()):
            yield Message(message_id, body)

    def delete(self, ids: Sequence[str]) -> None:
        for message_id in ids:
            self.step("delete")
            self.there.pop(message_id, None)


class Heat:
    """Answers with the next of these."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []
        self.reasons: list[Reason] = []

    def __call__(self, kept: dict[str, Any] | None, reason: Reason) -> dict[str, Any] | None:
        self.asked.append(kept)
        self.reasons.append(reason)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


def body(number: int) -> dict[str, Any]:
    return {"deployments": [], "n": number}


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def start(queue: FakeQueue, tmp_path: Path) -> Callable[..., Source]:
    """A process that begins: all that it knows is on disk."""

    def begin(heat: Heat | None = None, lifetime: float = 3000) -> Source:
        return Source(queue, Inbox(tmp_path / "zaqar.d", "queue"), heat or Heat(), lifetime)

    return begin


Start = Callable[..., Source]


class TestCollect:
    def test_the_newest_is_kept_and_all_are_deleted(self, start: Start, queue: FakeQueue) -> None:
        for number in range(50):
            queue.post(body(number))
        assert start().collect() == body(49)
        assert queue.there == {}

    def test_with_nothing_new_it_gives_what_it_has(self, start: Start, queue: FakeQueue) -> None:
        queue.post(body(1))
        start().collect()
        assert start().collect() == body(1)

    def test_before_the_first_there_is_none(self, start: Start) -> None:
        assert start().collect() is None

    @pytest.mark.parametrize("rubbish", ["text", {}, [], {"deployments": "x"}, {"deployments": 1}])
    def test_what_is_no_metadata_does_not_hide_what_is(
        self, start: Start, queue: FakeQueue, tmp_path: Path, rubbish: object
    ) -> None:
        queue.post(body(1))
        queue.post(rubbish)
        assert start().collect() == body(1)
        assert queue.there == {}
        (aside,) = (tmp_path / "zaqar.d/rejected").iterdir()
        assert json.loads(aside.read_text()) == rubbish
        assert aside.stat().st_mode & 0o777 == 0o600

    def test_what_is_packed_is_unpacked(self, start: Start, queue: FakeQueue) -> None:
        queue.post(body(1))
        queue.post(packed.packed(body(2)))
        assert start().look() == body(2)
        assert start().collect() == body(2)
        assert queue.there == {}

    def test_what_cannot_be_unpacked_does_not_hide_what_can(
        self,
        start: Start,
        queue: FakeQueue,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        queue.post(packed.packed(body(1)))
        torn = {**packed.packed(body(2)), "metadata": "torn"}
        queue.post(torn)
        queue.post(packed.packed({"deployments": "x"}))
        assert start().look() == body(1)
        assert start().collect() == body(1)
        assert queue.there == {}
        aside = [*(tmp_path / "zaqar.d/rejected").iterdir()]
        assert len(aside) == 2
        assert torn in [json.loads(path.read_text()) for path in aside]
        assert "is no metadata of a server: what is packed in it" in capsys.readouterr().err

    def test_what_is_too_large_is_set_aside(
        self, start: Start, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(metadata, "LARGEST", 100)
        queue.post(body(1))
        queue.post({"deployments": [], "x": "x" * 100})
        assert start().collect() == body(1)

    def test_the_folder_of_rejected_messages_does_not_grow(
        self, start: Start, queue: FakeQueue, tmp_path: Path
    ) -> None:
        for _ in range(MOST_REJECTED + 5):
            queue.post("text")
        start().collect()
        assert len(list((tmp_path / "zaqar.d/rejected").iterdir())) == MOST_REJECTED

    def test_a_message_that_comes_again_is_old(self, start: Start, queue: FakeQueue) -> None:
        queue.post(body(1))
        queue.post(body(2))
        first = dict(queue.there)

        def refuse(_: str) -> None:
            raise CloudError("busy", Outcome.UNREACHABLE)

        queue.step = lambda step: refuse(step) if step == "delete" else None
        start().collect()
        queue.step = lambda _: None
        del queue.there["m2"]  # the newer one has been deleted, the older one not
        assert queue.there == {"m1": first["m1"]}
        assert start().collect() == body(2)
        assert queue.there == {}

    def test_a_message_that_comes_again_after_its_deletion_is_old(
        self, start: Start, queue: FakeQueue
    ) -> None:
        queue.post(body(1))
        first = dict(queue.there)
        for number in range(2, 9):
            start().collect()
            queue.post(body(number))
        start().collect()
        queue.there = first
        assert start().collect() == body(8)
        assert queue.there == {}

    def test_another_queues_metadata_is_left_out(
        self, start: Start, queue: FakeQueue, tmp_path: Path
    ) -> None:
        queue.post(body(1))
        start().collect()
        elsewhere = Source(FakeQueue(), Inbox(tmp_path / "zaqar.d", "other"), Heat(), 3000)
        assert elsewhere.collect() is None

    def test_metadata_that_names_the_new_queue_holds_there_too(
        self, start: Start, queue: FakeQueue, tmp_path: Path
    ) -> None:
        told = {**body(1), "os-collect-config": {"zaqar": {"queue_id": "other"}}}
        queue.post(told)
        start().collect()
        elsewhere = Source(FakeQueue(), Inbox(tmp_path / "zaqar.d", "other"), Heat(), 3000)
        assert elsewhere.collect() == told

    def test_trouble_is_told_once_and_so_is_its_end(
        self, start: Start, queue: FakeQueue, capsys: pytest.CaptureFixture[str]
    ) -> None:
        queue.post(body(1))
        source = start()

        def fail(_: str) -> None:
            raise CloudError("Zaqar is away", Outcome.UNREACHABLE)

        source.collect()
        queue.step = fail
        assert [source.collect() for _ in range(3)] == [body(1)] * 3
        queue.step = lambda _: None
        source.collect()
        lines = capsys.readouterr().err.splitlines()
        assert sum("Zaqar is away" in line for line in lines) == 1
        assert sum("answers again" in line for line in lines) == 1

    def test_a_full_disk_loses_nothing(
        self, start: Start, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        queue.post(body(1))
        with monkeypatch.context() as patched:
            patched.setattr(files, "write_durably", full)
            assert start().collect() is None
        assert start().collect() == body(1)

    def test_a_damaged_file_is_written_anew(
        self, start: Start, queue: FakeQueue, tmp_path: Path
    ) -> None:
        (tmp_path / "zaqar.d").mkdir()
        (tmp_path / "zaqar.d/newest.json").write_text('{"content": {"depl')
        queue.post(body(1))
        assert start().collect() == body(1)
        assert start().collect() == body(1)

    def test_to_look_changes_nothing(self, start: Start, queue: FakeQueue, tmp_path: Path) -> None:
        queue.post(body(1))
        queue.post("text")
        before = dict(queue.there)
        assert start().look() == body(1)
        assert queue.there == before
        assert list(tmp_path.iterdir()) == []


class TestHeat:
    def test_is_asked_when_nothing_is_there(self, start: Start) -> None:
        assert start(Heat(body(7))).collect() == body(7)
        assert start().collect() == body(7)

    def test_is_not_asked_while_the_queue_is_looked_at(
        self, start: Start, queue: FakeQueue
    ) -> None:
        queue.post(body(1))
        heat = Heat(body(7))
        source = start(heat)
        assert [source.collect() for _ in range(3)] == [body(1)] * 3
        assert heat.asked == []

    def test_is_asked_when_the_last_look_is_too_long_ago(
        self, start: Start, queue: FakeQueue
    ) -> None:
        queue.post(body(1))
        start().collect()
        heat = Heat(body(7))
        assert start(heat, lifetime=-1).collect() == body(7)
        assert heat.asked == [body(1)]

    def test_a_message_is_newer_than_what_heat_says(self, start: Start, queue: FakeQueue) -> None:
        queue.post(body(1))
        heat = Heat(body(7))
        assert start(heat, lifetime=-1).collect() == body(1)
        assert heat.asked == []

    def test_is_asked_again_when_it_did_not_answer(
        self, start: Start, queue: FakeQueue, tmp_path: Path
    ) -> None:
        queue.post(body(1))
        start().collect()
        os.utime(tmp_path / "zaqar.d/newest.json", (0, 0))
        away = start(Heat(CloudError("Heat is away", Outcome.UNREACHABLE)))
        assert [away.collect(), away.collect()] == [body(1)] * 2
        assert start(Heat(body(7))).collect() == body(7)

    def test_that_does_not_answer_is_left_alone_for_a_while(
        self, start: Start, capsys: pytest.CaptureFixture[str]
    ) -> None:
        heat = Heat(CloudError("Heat is away", Outcome.UNREACHABLE), body(7))
        source = start(heat)
        assert [source.collect(), source.collect()] == [None, None]
        assert len(heat.asked) == 1
        assert capsys.readouterr().err.count("Heat is away") == 1


def asks_for(*deployments: tuple[str, int]) -> dict[str, Any]:
    """Metadata with deployments of these ids, made so many seconds after noon."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    times = ((one, noon + timedelta(seconds=seconds)) for one, seconds in deployments)
    listed = [{"id": one, "creation_time": f"{at:%Y-%m-%dT%H:%M:%SZ}"} for one, at in times]
    return {"deployments": listed}


class TestOvertaken:
    """Heat has posted what it had stored before after what it had stored later."""

    def test_heat_says_what_it_has(self, start: Start, queue: FakeQueue) -> None:
        both = asks_for(("a", 0), ("b", 1))
        heat = Heat(both)
        queue.post(both)
        queue.post(asks_for(("a", 0)))
        source = start(heat)
        assert [source.collect(), source.collect()] == [both, both]
        assert heat.reasons == [Reason.OVERTAKEN]

    def test_also_when_the_first_was_taken_before(self, start: Start, queue: FakeQueue) -> None:
        both = asks_for(("a", 0), ("b", 0))
        queue.post(both)
        start().collect()
        queue.post(asks_for(("a", 0)))
        assert start(Heat(both)).collect() == both

    @pytest.mark.parametrize(
        ("before", "newest"),
        [
            ([("a", 0)], [("a", 0), ("b", 1)]),
            # Changed: the config is another one, made later.
            ([("a", 0)], [("c", 61)]),
            ([("a", 0), ("b", 0)], [("a", 0), ("c", 61)]),
            # The last one is gone.
            ([("a", 0)], []),
        ],
    )
    def test_heat_is_not_asked_where_nothing_is_lacking(
        self,
        start: Start,
        queue: FakeQueue,
        before: list[tuple[str, int]],
        newest: list[tuple[str, int]],
    ) -> None:
        heat = Heat()
        source = start(heat)
        for each in (before, newest):
            queue.post(asks_for(*each))
            source.collect()
        assert source.collect() == asks_for(*newest)
        assert heat.asked == []

    @pytest.mark.parametrize("made", [{}, {"creation_time": 7}, {"creation_time": "at noon"}])
    def test_what_does_not_say_when_it_was_made_is_believed(
        self, start: Start, queue: FakeQueue, made: dict[str, Any]
    ) -> None:
        heat = Heat()
        queue.post(asks_for(("a", 0), ("b", 1)))
        queue.post({"deployments": [{"id": "c", **made}]})
        start(heat).collect()
        assert heat.asked == []

    def test_what_was_removed_is_gone(self, start: Start, queue: FakeQueue) -> None:
        one = asks_for(("a", 0))
        heat = Heat(one)
        queue.post(asks_for(("a", 0), ("b", 1)))
        queue.post(one)
        source = start(heat)
        assert [source.collect(), source.collect()] == [one, one]
        assert len(heat.asked) == 1

    def test_the_doubt_outlives_the_process_until_heat_answers(
        self, start: Start, queue: FakeQueue
    ) -> None:
        both, third = asks_for(("a", 0), ("b", 1)), asks_for(("a", 0), ("c", 2))
        queue.post(both)
        queue.post(asks_for(("a", 0)))
        away = CloudError("Heat is away", Outcome.UNREACHABLE)
        assert start(Heat(away)).collect() == asks_for(("a", 0))
        queue.post(third)
        assert start(Heat(away)).collect() == third
        assert start(Heat(both)).collect() == both

    def test_a_refusal_ends_it(
        self, start: Start, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("heat_config.collect.source.ASK_HEAT_EVERY", -ASK_HEAT_EVERY)
        queue.post(asks_for(("a", 0), ("b", 1)))
        queue.post(asks_for(("a", 0)))
        heat = Heat(CloudError("Heat answered 403", Outcome.REFUSED), asks_for(("b", 1)))
        source = start(heat)
        assert [source.collect(), source.collect()] == [asks_for(("a", 0))] * 2
        assert len(heat.asked) == 1


class Life:
    """One server over many processes: each step may be the last of its process."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._folder = folder
        self.queue = FakeQueue()
        self.applied: list[int] = []
        self.posted = 0

    def post(self) -> None:
        self.posted += 1
        self.queue.post(body(self.posted))
        if self._random.random() < 0.2:
            self.queue.post("rubbish")

    def step(self, _: str) -> None:
        chance = self._random.random()
        if chance < 0.15:
            raise KilledError
        if chance < 0.25:
            raise CloudError("the wire broke", Outcome.UNREACHABLE)
        if chance < 0.35:
            self.post()

    def run(self, rounds: int) -> None:
        """A process until it is killed."""
        last = self.applied[-1] if self.applied else 0
        inbox = Inbox(self._folder, "queue")
        source = Source(self.queue, inbox, Heat(), 3000)
        for _ in range(rounds):
            content = source.collect()
            if content and content["n"] != last:
                self.step("before the command")
                self.applied.append(content["n"])
                last = content["n"]
                self.step("before the commit")


@pytest.mark.parametrize("block", range(10))
def test_killed_at_any_moment_the_newest_is_applied_and_nothing_older_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)
    write = files.write_durably
    kills = 0
    for seed in range(block * SCHEDULES // 10, (block + 1) * SCHEDULES // 10):
        life = Life(seed, tmp_path / str(seed))

        def killed_write(path: Path, text: str, life: Life = life) -> None:
            life.step("before the write")
            write(path, text)
            life.step("after the write")

        with monkeypatch.context() as patched:
            patched.setattr(files, "write_durably", killed_write)
            for _ in range(6):
                life.post()
                try:
                    life.run(3)
                except (KilledError, CloudError):
                    kills += 1
        life.step = lambda _: None  # type: ignore[method-assign]
        life.queue.step = lambda _: None
        life.run(2)
        assert life.applied[-1] == life.posted, seed
        assert life.applied == sorted(life.applied), seed
        assert life.queue.there == {}, seed
    assert kills > 50

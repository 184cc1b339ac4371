# SPDX-License-Identifier: Apache-2.0
"""What becomes of a pending result: real files, the real policy, a far end that fails as told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heat_config import deployment
from heat_config.cloud.errors import Outcome
from heat_config.delivery import policy
from heat_config.delivery.courier import BUDGET, Courier
from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.run.records import records
from heat_config.run.store import Begun, Store
from heat_config.settings import Settings
from tests.support.clock import NOW, Clock
from tests.support.deployments import inputs, script
from tests.support.far_end import FarEnd, queue_of, signed_of

URL = {"deploy_signal_id": "http://swift/x", "deploy_signal_verb": "PUT"}
RESOURCE = {
    "deploy_auth_url": "http://heat/",
    "deploy_stack_id": "stack/1",
    "deploy_resource_name": "deployment",
}
QUEUE = {"deploy_queue_id": "q", **RESOURCE}
# More rounds than any result of these tests has before its end.
MANY = 300


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    made.take_place(monkeypatch)
    return made


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> FarEnd:
    made = FarEnd()
    made.take_place(monkeypatch)
    return made


class Office:
    """An outbox, and couriers that each make one round."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.outbox = Outbox(settings)
        self.store = Store(settings)

    def courier(self) -> Courier:
        return Courier(self.outbox, records(self.store, self.settings), self.settings)

    def has(self, config_id: str = "c1", stage: Stage = Stage.NEW, **more: Any) -> Entry:
        """A result is pending."""
        fields = {"since": self.clock.now, "address": queue_of(config_id), **more}
        message = Result(0, fields.pop("stdout", "")).as_dict()
        entry = Entry(id=config_id, message=message, stage=stage, **fields)
        with self.outbox.locked() as box:
            box.put(entry)
        return entry

    def supersede(self, asked: dict[str, dict[str, Any]]) -> None:
        courier = self.courier()
        courier.expect(asked)
        courier.supersede()

    def by_hand(self) -> None:
        self.courier().deliver_all(due_only=False)

    def timer(self) -> None:
        self.courier().deliver_all(due_only=True)

    def timer_when_due(self, config_id: str = "c1") -> None:
        self.clock.now = max(self.clock.now, self.entry(config_id).due)
        self.timer()

    def timers_until(self, ended: Callable[[], bool], config_id: str = "c1") -> None:
        for _ in range(MANY):
            if ended():
                return
            self.timer_when_due(config_id)
        raise AssertionError(f"it does not come to an end: {self.outbox.get(config_id)}")

    def entry(self, config_id: str = "c1") -> Entry:
        entry = self.outbox.get(config_id)
        assert entry
        return entry

    def set_aside(self, config_id: str = "c1") -> tuple[Stage, str]:
        entry = self.outbox.get_abandoned(config_id)
        assert entry and not self.outbox.get(config_id)
        return entry.stage, entry.problem

    def is_empty(self) -> bool:
        return self.outbox.ids() == self.outbox.abandoned_ids() == []


@pytest.fixture
def office(settings: Settings, clock: Clock) -> Office:
    return Office(settings._replace(first_wait=0.5), clock)


def ids_of(far: FarEnd, act: str) -> list[str]:
    return [config_id for name, config_id in far.acts if name == act]


class TestARound:
    def test_forgets_what_is_accepted_and_notes_it_for_people(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has()
        office.by_hand()
        assert far.acts == [("post", "c1")]
        assert office.is_empty()
        assert office.store.result("c1") == Result(0)

    def test_begins_with_the_oldest(self, office: Office, far: FarEnd) -> None:
        for config_id, age in (("a", 1), ("b", 3), ("c", 2)):
            office.has(config_id, since=NOW - age)
        office.timer()
        assert ids_of(far, "post") == ["b", "c", "a"]

    def test_of_the_timer_leaves_what_is_not_due(self, office: Office, far: FarEnd) -> None:
        office.has("later", due=NOW + 300)
        office.has("now", due=NOW - 1)
        office.timer()
        assert ids_of(far, "post") == ["now"]
        office.by_hand()
        assert ids_of(far, "post") == ["now", "later"]

    def test_has_some_tries_and_then_a_longer_wait(self, office: Office, far: FarEnd) -> None:
        office.has()
        far.fails("post", Outcome.UNREACHABLE)
        times: list[float] = []
        far.before = lambda *_: times.append(office.clock.now)
        office.timer()
        assert len(times) == policy.ROUND
        assert times[-1] - times[0] <= BUDGET
        assert 15 <= office.entry().due - times[-1] <= 30
        office.timer()
        assert len(times) == policy.ROUND

    def test_says_why_a_result_is_pending_once_and_again_when_that_changes(
        self, office: Office, far: FarEnd, capsys: pytest.CaptureFixture[str]
    ) -> None:
        office.has()
        for reason in ("nobody listens", "nobody listens", "it is locked"):
            far.fails("post", Outcome.UNREACHABLE, reason)
            office.timer_when_due()
        said = capsys.readouterr().err.splitlines()
        assert len(said) > 3
        warnings = [line.rpartition(": ")[2] for line in said if "[WARNING]" in line]
        assert warnings == ["nobody listens", "it is locked"]

    def test_takes_no_longer_than_its_budget(self, office: Office, far: FarEnd) -> None:
        office.settings = office.settings._replace(first_wait=60)
        office.has()
        far.fails("post", Outcome.UNREACHABLE)
        office.timer()
        assert far.acts == [("post", "c1")]
        assert office.clock.monotonic() == 0

    def test_begins_nothing_more_when_what_came_before_has_taken_long(
        self, office: Office, far: FarEnd
    ) -> None:
        """Each act succeeds, and each is slow: the outbox is held meanwhile."""
        office.has("c1", Stage.MAYBE_QUEUED)
        far.before = lambda *_: office.clock.sleep(BUDGET + 1)
        office.timer()
        assert far.acts == [("look", "c1")]
        for _ in range(3):
            office.timer_when_due()
        assert [name for name, _ in far.acts] == ["look", "notify", "clean", "clean"]
        assert office.is_empty()

    def test_waits_at_most_the_longest_wait(self, office: Office, far: FarEnd) -> None:
        office.has(tries=100_000 * policy.ROUND)
        far.fails("post", Outcome.REFUSED)
        office.timer()
        assert office.entry().due <= NOW + 0.5 * policy.LONGEST

    def test_spreads_the_waits(self, office: Office, far: FarEnd) -> None:
        """A thousand servers must not come back at once."""
        far.fails("post", Outcome.REFUSED)
        for number in range(20):
            office.has(f"c{number}")
        office.timer()
        dues = {office.entry(each).due for each in office.outbox.ids()}
        assert len(dues) > 1
        assert all(NOW + 15 <= due <= NOW + 30 for due in dues)

    def test_is_not_repeated_at_the_end_of_the_run_that_began_with_it(
        self, office: Office, far: FarEnd
    ) -> None:
        entry = office.has()
        far.fails("post", Outcome.UNREACHABLE)
        courier = office.courier()
        with office.outbox.locked() as box:
            courier.hand_over(box, entry)
            courier.pursue(box, entry)
        courier.deliver_all(due_only=True)
        assert len(far.acts) == policy.ROUND

    def test_that_repeats_a_secret_is_noted_without_it(self, office: Office, far: FarEnd) -> None:
        signed = "http://swift/x?signature=0123456789abcdef0123"
        address = {"deploy_signal_id": signed, "deploy_password": "hunter22"}
        office.has("c1", Stage.REPEATABLE, address=address)
        far.errors["c1"] = ValueError(f"{signed} of hunter22")
        office.timer()
        assert "http://swift/x" in office.entry().problem
        assert "hunter22" not in office.entry().problem
        assert "0123456789abcdef0123" not in office.entry().problem

    def test_of_one_faulty_transport_does_not_stop_the_others(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has("c1")
        office.has("c2", address=URL)
        far.errors["c1"] = RuntimeError("unexpected")
        office.timer()
        assert office.entry("c1").problem == "RuntimeError('unexpected')"
        assert office.entry("c1").stage.is_unconfirmed
        assert office.outbox.ids() == ["c1"]


class TestWhatIsAway:
    def test_for_one_is_not_tried_for_the_next(self, office: Office, far: FarEnd) -> None:
        for config_id in ("c1", "c2"):
            office.has(config_id, address=queue_of(config_id, "http://away/"))
            far.fails(config_id, Outcome.UNREACHABLE)
        office.has("c3", address=queue_of("c3", "http://here/"))
        office.timer()
        assert ids_of(far, "post") == ["c1"] * policy.ROUND + ["c3"]
        assert (office.entry("c2").tries, office.entry("c2").stage) == (0, Stage.NEW)
        far.errors.clear()
        office.timer()
        assert ids_of(far, "post")[-1] == "c2"

    def test_is_a_host_whatever_the_signatures_of_its_urls(
        self, office: Office, far: FarEnd
    ) -> None:
        """Five results for one host that is dead take one round of tries, not five."""
        for number in range(5):
            url = f"http://dead:8080/v1/object-{number}?temp_url_sig={number}"
            office.has(f"c{number}", address={"deploy_signal_id": url})
        far.fails("post", Outcome.UNREACHABLE)
        office.timer()
        assert ids_of(far, "post") == ["c0"] * policy.ROUND

    def test_may_be_zaqar_while_heat_is_well(self, office: Office, far: FarEnd) -> None:
        office.has("c1")
        office.has("c2", Stage.FORCED)
        far.fails("post", Outcome.UNREACHABLE)
        office.timer()
        assert ids_of(far, "notify") == ["c2"]

    def test_is_known_before_a_new_result_is_handed_over(self, office: Office, far: FarEnd) -> None:
        far.fails("c1", Outcome.UNREACHABLE)
        courier = office.courier()
        for config_id in ("c1", "c2"):
            entry = Entry(config_id, queue_of(config_id), Result(0).as_dict(), Stage.NEW)
            with office.outbox.locked() as box:
                courier.hand_over(box, entry)
                courier.pursue(box, entry)
        assert set(ids_of(far, "post")) == {"c1"}
        assert office.entry("c2").stage is Stage.NEW

    def test_is_not_what_refuses(self, office: Office, far: FarEnd) -> None:
        for config_id in ("c1", "c2"):
            office.has(config_id)
        far.fails("c1", Outcome.REFUSED)
        office.timer()
        assert ids_of(far, "post") == ["c1", "c2"]

    @pytest.mark.parametrize(
        "address",
        [
            {"deploy_signal_id": "http://[/x"},
            {"deploy_signal_id": ["http://h/"]},
            {"deploy_queue_id": {"a": 1}, "deploy_auth_url": 7},
            {"deploy_auth_url": "http://[/"},
        ],
    )
    def test_may_have_an_address_that_is_no_address(
        self, office: Office, address: dict[str, Any]
    ) -> None:
        """It is noticed by the sender, and stops no other."""
        entry = office.has("c1", Stage.NEW, address=address)
        courier = office.courier()
        with office.outbox.locked() as box:
            courier.hand_over(box, entry)
            courier.pursue(box, entry)
        stage, problem = office.set_aside("c1")
        assert stage is Stage.ABANDONED
        assert problem


class TestAnAct:
    @pytest.mark.parametrize(
        ("stage", "act", "on_disk"),
        [
            (Stage.NEW, "post", Stage.MAYBE_QUEUED),
            (Stage.FALLBACK, "notify", Stage.MAYBE_NOTIFIED),
            (Stage.LAST_RESORT, "post", Stage.MAYBE_NOTIFIED),
            *((stage, "look", stage) for stage in (Stage.MAYBE_QUEUED, Stage.LAST_LOOK)),
            *((stage, "notify", stage) for stage in (Stage.MAYBE_NOTIFIED, Stage.FORCED)),
            *((stage, "clean", stage) for stage in (Stage.CLEANING, Stage.CLEANING_AGAIN)),
            (Stage.REPEATABLE, "post", Stage.REPEATABLE),
            (Stage.SIGNED, "post", Stage.SIGNED),
            (Stage.WAITING_FOR_HEAT, "look", Stage.WAITING_FOR_HEAT),
        ],
    )
    def test_has_its_intent_on_disk_before_it_begins(
        self, office: Office, far: FarEnd, stage: Stage, act: str, on_disk: Stage
    ) -> None:
        """A power cut in between leaves an entry that says what may have happened."""
        signed = stage in (Stage.SIGNED, Stage.WAITING_FOR_HEAT)
        other = signed_of("c1") if signed else queue_of("c1")
        office.has("c1", stage, address=URL if stage is Stage.REPEATABLE else other)
        seen: list[tuple[str, Stage]] = []
        far.before = lambda name, _: seen.append((name, office.entry().stage))
        office.timer()
        assert seen[0] == (act, on_disk)

    def test_that_is_cut_short_is_not_repeated_blindly(self, office: Office, far: FarEnd) -> None:
        office.has()

        def cut(*_: str) -> None:
            raise KeyboardInterrupt

        far.before = cut
        with pytest.raises(KeyboardInterrupt):
            office.timer()
        far.before = lambda *_: None
        office.timer()
        assert far.acts[0] == ("look", "c1")
        assert ids_of(far, "post") == []

    def test_whose_success_cannot_be_noted_is_not_repeated(
        self, office: Office, far: FarEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.has()
        with monkeypatch.context() as patch:
            patch.setattr("heat_config.files.remove_durably", _full)
            office.timer()
        assert office.outbox.ids() == ["c1"]
        office.timer()
        assert far.acts == [("post", "c1"), ("look", "c1")]
        assert office.is_empty()

    @pytest.mark.parametrize("stage", [Stage.NEW, Stage.FALLBACK, Stage.REPEATABLE])
    def test_does_not_begin_when_its_intent_cannot_be_noted(
        self, office: Office, far: FarEnd, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.has("c1", stage, address=URL if stage is Stage.REPEATABLE else queue_of("c1"))
        office.has("c2", address=URL)
        with monkeypatch.context() as patch:
            patch.setattr("heat_config.files.write_durably", _full)
            office.timer()
        assert far.acts == []
        assert sorted(office.outbox.ids()) == ["c1", "c2"]

    def test_waits_until_the_result_is_noted_for_people(
        self, office: Office, far: FarEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else the next run would find a config that was begun and has no result."""
        office.has()
        with monkeypatch.context() as patch:
            patch.setattr(Store, "end", _full)
            office.timer()
        assert far.acts == []
        assert office.entry().stage is Stage.NEW


def _full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


class TestAnAnswerThatWasLost:
    def test_of_a_result_that_arrived_leaves_one_copy(self, office: Office, far: FarEnd) -> None:
        office.has()
        far.fails("post", Outcome.UNKNOWN)
        far.loses_answers = True
        office.timer()
        assert far.acts == [("post", "c1"), ("look", "c1")]
        assert len(far.messages) == 1
        assert office.is_empty()

    def test_of_a_result_that_is_not_on_the_queue_is_made_up_for_by_heat_itself(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has()
        far.fails("post", Outcome.UNKNOWN)
        office.timer()
        assert [name for name, _ in far.acts] == ["post", "look", "notify", "clean"]
        assert [config_id for config_id, _ in far.notified] == ["c1"]
        # At once, because an update may come, and a minute later for one still on its way.
        cleaned = office.clock.now
        office.by_hand()
        office.clock.now = cleaned + 59
        office.timer()
        assert len(far.acts) == 4
        far.messages.append(("c1", {"late": "copy"}))
        office.clock.now = cleaned + 60
        office.timer()
        assert far.messages == []
        assert office.is_empty()

    def test_of_a_notification_is_made_up_for_by_another_one(
        self, office: Office, far: FarEnd
    ) -> None:
        """Heat ignores one for which it does not wait."""
        office.has("c1", Stage.MAYBE_NOTIFIED)
        far.fails("notify", Outcome.UNKNOWN)
        far.loses_answers = True
        office.timer()
        assert len(far.notified) == policy.ROUND
        assert ids_of(far, "post") == []
        assert office.entry().stage is Stage.MAYBE_NOTIFIED

    def test_of_a_clean_up_is_made_up_for_by_another_one(self, office: Office, far: FarEnd) -> None:
        office.has("c1", Stage.CLEANING)
        far.fails("clean", Outcome.UNKNOWN)
        office.timer()
        assert ids_of(far, "clean") == ["c1"] * policy.ROUND
        assert office.entry().stage is Stage.CLEANING
        far.errors.clear()
        office.timer_when_due()
        office.timer_when_due()
        assert office.is_empty()

    def test_of_a_clean_up_that_never_succeeds_has_an_end_that_is_no_loss(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has("c1", Stage.CLEANING)
        far.fails("clean", Outcome.REFUSED)
        office.timers_until(office.is_empty)
        assert len(far.acts) == policy.REFUSALS


class TestRefusals:
    def test_in_a_row_have_an_end(self, office: Office, far: FarEnd) -> None:
        office.has("c1", Stage.REPEATABLE, address=URL)
        far.fails("post", Outcome.REFUSED)
        for _ in range(policy.REFUSALS - 1):
            office.timer_when_due()
            assert office.entry().problem == "the far end says no"
        office.timer_when_due()
        reason = f"refused {policy.REFUSALS} times, the last time so: the far end says no"
        assert office.set_aside() == (Stage.ABANDONED, reason)
        assert office.clock.now - NOW > 300

    def test_that_an_operator_provokes_do_not_count(self, office: Office, far: FarEnd) -> None:
        """Five deliveries by hand within a second must not abandon a result."""
        office.has("c1", Stage.REPEATABLE, address=URL)
        far.fails("post", Outcome.REFUSED)
        for _ in range(5 * policy.REFUSALS):
            office.by_hand()
        assert len(far.acts) == 5 * policy.REFUSALS
        assert office.entry().refusals == 1

    def test_begin_anew_after_bad_luck(self, office: Office, far: FarEnd) -> None:
        office.has("c1", Stage.REPEATABLE, address=URL, refusals=policy.REFUSALS - 1)
        far.fails("post", Outcome.UNREACHABLE)
        office.timer()
        far.fails("post", Outcome.REFUSED)
        office.timer_when_due()
        assert office.entry().refusals == 1

    def test_of_the_content_send_a_failure_that_says_so_in_its_place(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has("c1", Stage.REPEATABLE, address=URL, stdout="strange")
        far.fails("post", Outcome.CONTENT_REFUSED)

        def relent(*_: str) -> None:
            if len(far.acts) == policy.CONTENT_REFUSALS:
                far.errors.clear()

        far.before = relent
        office.timers_until(office.is_empty)
        ((_, message),) = far.messages
        assert message["deploy_status_code"] == 1
        assert (
            "status code 0, but its result was refused: the far end says no"
            in (message["deploy_stderr"])
        )
        assert "strange" not in json.dumps(message)

    def test_of_the_content_are_two_only_in_a_row(self, office: Office, far: FarEnd) -> None:
        """A gateway's stray 404 and then a 400 are not two refusals of what it holds."""
        office.has("c1", Stage.REPEATABLE, address=URL)
        kinds = (Outcome.CONTENT_REFUSED, Outcome.REFUSED, Outcome.CONTENT_REFUSED)
        for kind, counted in zip(kinds, (1, 0, 1), strict=True):
            far.fails("post", kind)
            office.timer_when_due()
            assert office.entry().content_refusals == counted

    def test_of_its_size_make_it_smaller(self, office: Office, far: FarEnd) -> None:
        far.limit = 60_000
        office.has("c1", Stage.REPEATABLE, address=URL, stdout="x" * 40_000 + "the end")
        far.fails("post", Outcome.TOO_LARGE)

        def relent(*_: str) -> None:
            if len(far.acts) == 3:
                far.errors.clear()

        far.before = relent
        office.timer()
        ((_, message),) = far.messages
        assert len(json.dumps(message)) <= 40_100 // 8
        assert message["deploy_stdout"].endswith("xthe end")
        assert "bytes left out" in message["deploy_stdout"]

    def test_of_an_address_that_is_none_are_final(self, office: Office, far: FarEnd) -> None:
        office.has("c1", Stage.REPEATABLE, address=URL)
        far.fails("post", Outcome.UNUSABLE)
        office.timer()
        assert office.set_aside() == (Stage.ABANDONED, "the far end says no")


class TestWhatIsWrongOnThisServer:
    @pytest.mark.parametrize(
        "wrong",
        [{"ca_file": "/nonexistent/ca.pem"}, {"notify": "/nonexistent/program"}],
        ids=lambda wrong: next(iter(wrong)),
    )
    def test_is_no_refusal_and_costs_no_result(
        self, office: Office, wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        well = office.settings
        office.settings = well._replace(**wrong)
        user = inputs(deploy_user_id="u", deploy_password="secret", deploy_project_id="p")
        values = {each["name"]: each["value"] for each in user}
        stage = Stage.REPEATABLE if "notify" in wrong else Stage.NEW
        office.has("c1", stage, address={**queue_of("c1"), **values})
        for _ in range(2 * policy.REFUSALS):
            office.by_hand()
            office.timer_when_due()
        assert "/nonexistent/" in office.entry().problem
        far = FarEnd()
        far.take_place(monkeypatch)
        office.settings = well
        office.timers_until(office.is_empty)
        assert len(far.messages) + len(far.notified) == 1


class TestHeatIsAskedInPlaceOfTheQueue:
    def test_when_it_has_been_away_for_long(self, office: Office, far: FarEnd) -> None:
        office.has()
        far.fails("post", Outcome.UNREACHABLE)
        office.timers_until(office.is_empty)
        assert [config_id for config_id, _ in far.notified] == ["c1"]
        assert office.clock.now - NOW >= office.settings.fallback_after
        assert ids_of(far, "look") == []

    def test_again_in_each_round_while_nobody_answers(self, office: Office, far: FarEnd) -> None:
        """What counts are rounds, and not the tries within them."""
        office.settings = office.settings._replace(fallback_after=0)
        office.has("c1", Stage.MAYBE_NOTIFIED)
        far.fails("notify", Outcome.UNREACHABLE)
        for asked in range(1, policy.UNANSWERED + 1):
            assert ids_of(far, "post") == []
            office.timer_when_due()
            assert len(ids_of(far, "notify")) == asked * policy.ROUND
        assert ids_of(far, "post") == ["c1"]

    def test_but_one_failed_notification_posts_nothing(self, office: Office, far: FarEnd) -> None:
        """An old result whose queue has failed often: those tries have not asked Heat."""
        office.has("c1", Stage.MAYBE_NOTIFIED, tries=40, waited=5000.0, wait=600.0)
        far.fails("notify", Outcome.UNREACHABLE)

        def relent(*_: str) -> None:
            if far.acts:
                far.errors.clear()

        far.before = relent
        office.timer()
        assert ids_of(far, "post") == []
        assert len(far.notified) == 1

    def test_and_posted_again_when_only_the_queue_serves(self, office: Office, far: FarEnd) -> None:
        """The signal broke once, Zaqar is well, and Heat's API answers 503 from then on."""
        office.has("c1", Stage.MAYBE_NOTIFIED)
        far.fails("notify", Outcome.UNKNOWN, "503")
        office.timers_until(lambda: bool(far.messages))
        assert office.clock.now - NOW < 3600
        assert office.entry().stage is Stage.WATCHING
        # Heat takes it.
        far.messages.clear()
        office.timers_until(office.is_empty)

    def test_and_not_posted_while_it_refuses(self, office: Office, far: FarEnd) -> None:
        office.has("c1", Stage.MAYBE_NOTIFIED)
        far.fails("notify", Outcome.REFUSED)
        office.timers_until(lambda: office.outbox.ids() == [])
        assert far.messages == []
        assert office.set_aside()[0] is Stage.ABANDONED

    def test_and_nobody_else_for_a_run_that_was_forced(self, office: Office, far: FarEnd) -> None:
        office.has("c1", Stage.FORCED)
        far.fails("notify", Outcome.UNREACHABLE)
        for _ in range(10):
            office.timer_when_due()
        far.errors.clear()
        office.timers_until(office.is_empty)
        assert ids_of(far, "post") == []
        assert len(far.notified) == 1


class TestClocks:
    @pytest.mark.parametrize(
        ("begun", "then"),
        [
            (1000.0, NOW),  # booted in 1970, and NTP came
            (2_208_988_800.0, NOW),  # 2040, and back
            (NOW, 1000.0),
            (NOW, NOW + 10 * policy.LONGEST_AWAY),  # switched off for long
        ],
    )
    @pytest.mark.parametrize("stage", [Stage.NEW, Stage.MAYBE_NOTIFIED])
    def test_that_jump_cost_no_result_and_no_long_wait(
        self, office: Office, far: FarEnd, begun: float, then: float, stage: Stage
    ) -> None:
        office.clock.now = begun
        office.has("c1", stage)
        far.fails("c1", Outcome.UNREACHABLE)
        for _ in range(3):
            office.timer_when_due()
        office.clock.now = then
        for _ in range(3):
            office.timer()
            assert office.outbox.ids() == ["c1"]
        far.errors.clear()
        office.clock.now += 0.5 * policy.LONGEST
        office.timer()
        assert len(far.messages) + len(far.notified) == 1

    def test_that_was_wrong_when_the_result_was_made_says_nothing_about_its_age(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has(since=0.0)
        far.fails("post", Outcome.UNREACHABLE)
        office.timer()
        assert office.outbox.ids() == ["c1"]

    def test_that_jumps_back_while_a_try_waits_does_not_hold_up_the_others(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has()
        far.fails("post", Outcome.UNREACHABLE)

        def jump(*_: str) -> None:
            office.clock.now -= 5000

        far.before = jump
        office.timer()
        assert office.clock.monotonic() <= BUDGET
        assert len(far.acts) <= policy.ROUND

    def test_a_result_is_abandoned_after_waits_with_answers_as_long_as_a_message_lives(
        self, office: Office, far: FarEnd
    ) -> None:
        ttl = float(office.settings.message_ttl)
        for config_id, more in (("c1", {"answered": ttl - 1}), ("c2", {"waited": 2 * ttl})):
            address = {"deploy_signal_id": f"http://{config_id}/"}
            office.has(config_id, Stage.REPEATABLE, address=address, wait=600.0, **more)
            far.fails(config_id, Outcome.UNKNOWN)
        office.timer()
        assert office.outbox.ids() == ["c2"]
        assert "not accepted in 86400 s of trying" in office.set_aside("c1")[1]

    def test_a_result_is_abandoned_although_nobody_has_answered(
        self, office: Office, far: FarEnd
    ) -> None:
        waited = policy.LONGEST_AWAY - 1.0
        office.has("c1", Stage.REPEATABLE, address=URL, waited=waited, wait=600.0)
        far.fails("post", Outcome.UNREACHABLE)
        office.timer()
        assert "nobody has answered" in office.set_aside()[1]


class TestSuperseded:
    @pytest.mark.parametrize(
        ("stage", "address"),
        [
            (Stage.NEW, QUEUE),
            (Stage.FALLBACK, QUEUE),
            (Stage.REPEATABLE, URL),
            (Stage.REPEATABLE, RESOURCE),
        ],
    )
    def test_a_result_with_a_newer_config_is_put_aside(
        self, office: Office, far: FarEnd, stage: Stage, address: dict[str, str]
    ) -> None:
        """Heat takes the first answer that it finds there for the newer config's."""
        office.has("old", stage, address=address)
        office.supersede({"other": {}, "new": address})
        assert office.set_aside("old") == (Stage.SUPERSEDED, "Heat asks for a newer config, new")
        assert far.acts == []

    def test_results_of_other_deployments_stay_pending(self, office: Office) -> None:
        office.has("of a queue", address=QUEUE)
        office.has("of a resource", address=RESOURCE)
        office.has("of nothing", address={"deploy_action": "CREATE"})
        asked = {
            "new": {**QUEUE, "deploy_queue_id": "q2"},
            "newer": {**RESOURCE, "deploy_resource_name": "another"},
            "none": {},
        }
        office.supersede(asked)
        assert len(office.outbox.ids()) == 3
        assert office.outbox.abandoned_ids() == []

    def test_the_result_of_what_heat_asks_for_stays_pending(self, office: Office) -> None:
        entry = office.has("new", address=QUEUE)
        office.supersede({"new": QUEUE})
        assert office.entry("new") == entry

    @pytest.mark.parametrize(
        "stage",
        [Stage.MAYBE_QUEUED, Stage.MAYBE_NOTIFIED, Stage.LAST_LOOK, Stage.LAST_RESORT],
    )
    def test_what_may_be_on_the_queue_is_removed_there_at_once(
        self, office: Office, far: FarEnd, stage: Stage
    ) -> None:
        office.has("old", stage, address=QUEUE, due=NOW + 60)
        far.messages.append(("old", {}))
        office.supersede({"new": QUEUE})
        assert far.acts == [("clean", "old")]
        assert far.messages == []
        office.timers_until(office.is_empty, "old")
        assert ids_of(far, "post") == ids_of(far, "notify") == []
        assert office.is_empty()

    def test_a_copy_that_cannot_be_removed_yet_is_kept_in_mind(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has("old", Stage.MAYBE_QUEUED, address=QUEUE)
        far.messages.append(("old", {}))
        far.fails("clean", Outcome.UNREACHABLE)
        office.supersede({"new": QUEUE})
        assert office.entry("old").stage is Stage.CLEANING
        far.errors.clear()
        office.timer_when_due("old")
        assert far.messages == []
        assert {name for name, _ in far.acts} == {"clean"}

    def test_what_another_process_delivers_meanwhile_is_left_alone(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.has("old", address=QUEUE)
        courier, ids = office.courier(), office.outbox.ids

        def and_then_it_is_sent() -> list[str]:
            found = ids()
            with office.outbox.locked() as box:
                box.settle("old")
            return found

        monkeypatch.setattr(office.outbox, "ids", and_then_it_is_sent)
        courier.expect({"new": QUEUE})
        courier.supersede()
        assert ids() == office.outbox.abandoned_ids() == []

    def test_what_cannot_be_noted_is_not_sent_and_does_not_keep_the_others_from_it(
        self, office: Office, far: FarEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queues = {name: {**QUEUE, "deploy_queue_id": name} for name in ("q1", "q2", "q3")}
        for name, address in queues.items():
            office.has(f"old-{name}", address=address)
        courier = office.courier()
        with monkeypatch.context() as patch:
            patch.setattr("heat_config.files.write_durably", _fails_once())
            courier.expect({f"new-{name}": address for name, address in queues.items()})
            courier.supersede()
        assert len(office.outbox.ids()) == 1
        courier.deliver_all(due_only=False)
        assert far.acts == []
        assert office.outbox.ids() == []
        assert len(office.outbox.abandoned_ids()) == 3


def _fails_once() -> Callable[..., None]:
    from heat_config.files import write_durably

    errors = iter([OSError(5, "Input/output error")])

    def write(*arguments: Any, **options: Any) -> None:
        for error in errors:
            raise error
        write_durably(*arguments, **options)

    return write


class TestWhatHeatAcknowledges:
    """A result on a signed queue, from which Heat's plug-in reads."""

    def has(self, office: Office, stage: Stage = Stage.SIGNED, **more: Any) -> None:
        office.has("c1", stage, **{"address": signed_of("c1"), **more})

    def test_is_forgotten_only_then(self, office: Office, far: FarEnd) -> None:
        self.has(office)
        office.timer()
        assert far.acts == [("post", "c1")]
        assert office.entry().stage is Stage.WAITING_FOR_HEAT
        assert office.entry().problem == policy.UNACKNOWLEDGED
        assert office.outbox.undelivered() == ["c1"]
        office.timer()
        assert far.acts == [("post", "c1")]
        office.timer_when_due()
        assert office.clock.now == NOW + 60
        assert office.entry().stage is Stage.WAITING_FOR_HEAT
        far.acknowledged.add("c1")
        office.timer_when_due()
        assert far.acts == [("post", "c1"), ("look", "c1"), ("look", "c1")]
        assert office.is_empty()

    def test_is_said(self, office: Office, far: FarEnd, capsys: pytest.CaptureFixture[str]) -> None:
        self.has(office, Stage.WAITING_FOR_HEAT)
        far.acknowledged.add("c1")
        office.timer()
        (line,) = capsys.readouterr().err.splitlines()
        assert line.endswith("[INFO] Heat has acknowledged a result of c1")

    def test_and_the_queue_loses_is_posted_again(
        self, office: Office, far: FarEnd, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.has(office)
        office.timer()
        far.messages.clear()
        office.timer_when_due()
        assert [name for name, _ in far.acts] == ["post", "look", "post"]
        assert office.entry().stage is Stage.WAITING_FOR_HEAT
        assert "was lost by the queue before Heat acknowledged it" in capsys.readouterr().err
        far.acknowledged.add("c1")
        office.timers_until(office.is_empty)

    def test_is_posted_again_when_an_answer_was_lost(self, office: Office, far: FarEnd) -> None:
        self.has(office)
        far.fails("post", Outcome.UNKNOWN)
        far.loses_answers = True
        far.before = lambda *_: far.errors.clear() if len(far.acts) == 2 else None
        office.timer()
        assert [name for name, _ in far.acts] == ["post"] * 3
        assert office.entry().stage is Stage.WAITING_FOR_HEAT

    def test_may_be_looked_for_by_hand(self, office: Office, far: FarEnd) -> None:
        self.has(office, Stage.WAITING_FOR_HEAT, due=NOW + 60)
        far.acknowledged.add("c1")
        office.by_hand()
        assert office.is_empty()

    def test_has_an_end_with_its_reason_where_heat_never_does(
        self, office: Office, far: FarEnd
    ) -> None:
        self.has(office)
        office.timers_until(lambda: not office.outbox.ids())
        assert office.set_aside()[0] is Stage.ABANDONED
        assert policy.UNACKNOWLEDGED in office.set_aside()[1]
        assert office.clock.now - NOW > 86_400
        assert len(far.acts) < 400

    @pytest.mark.parametrize("act", ["post", "look"])
    def test_and_an_address_that_has_ended(self, office: Office, far: FarEnd, act: str) -> None:
        self.has(office)
        far.fails(act, Outcome.REFUSED, "the signed address opens nothing there")
        office.timers_until(lambda: not office.outbox.ids())
        stage, problem = office.set_aside()
        assert stage is Stage.ABANDONED
        assert (
            problem == "refused 6 times, the last time so: the signed address opens nothing there"
        )
        assert 400 < office.clock.now - NOW < 3600

    @pytest.mark.parametrize("asked", [{"new": signed_of("new")}, {"other": {}}])
    def test_and_heat_does_not_ask_for_any_more_is_forgotten(
        self, office: Office, far: FarEnd, asked: dict[str, Any]
    ) -> None:
        self.has(office, Stage.WAITING_FOR_HEAT, due=NOW + 60)
        courier = office.courier()
        courier.expect(asked)
        courier.supersede()
        assert office.is_empty()
        assert far.acts == []

    def test_is_not_forgotten_when_the_metadata_say_nothing(self, office: Office) -> None:
        self.has(office, Stage.WAITING_FOR_HEAT, due=NOW + 60)
        courier = office.courier()
        courier.expect({})
        courier.supersede()
        assert office.entry().stage is Stage.WAITING_FOR_HEAT

    def test_of_an_action_before_is_not_posted_any_more(self, office: Office, far: FarEnd) -> None:
        self.has(office)
        courier = office.courier()
        courier.expect({"new": signed_of("new")})
        courier.supersede()
        assert office.set_aside() == (Stage.SUPERSEDED, "Heat asks for a newer config, new")
        assert far.acts == []

    def test_a_host_that_is_away_is_away_for_all_its_queues(
        self, office: Office, far: FarEnd
    ) -> None:
        for config_id, host in (("c1", "dead"), ("c2", "dead"), ("c3", "well")):
            office.has(config_id, Stage.SIGNED, address=signed_of(config_id, host))
        far.fails("c1", Outcome.UNREACHABLE)
        office.timer()
        assert ids_of(far, "post") == ["c1"] * policy.ROUND + ["c3"]

    def test_what_is_kept_of_an_error_names_neither_queue_nor_signature(
        self, office: Office, far: FarEnd
    ) -> None:
        self.has(office)
        far.fails("post", Outcome.UNKNOWN, f"queue queue-of-c1 answered 503 to {'0' * 64}")
        office.timer()
        assert office.entry().problem == "queue *** answered 503 to ***"

    def test_goes_to_a_program_that_was_set_meanwhile(self, office: Office, far: FarEnd) -> None:
        office.settings = office.settings._replace(notify="/bin/program")
        self.has(office, Stage.WAITING_FOR_HEAT)
        office.timer()
        assert far.acts == [("post", "c1")]
        assert office.is_empty()

    def test_and_a_program_may_have_sent_is_posted(self, office: Office, far: FarEnd) -> None:
        self.has(office, Stage.REPEATABLE)
        office.timer()
        assert far.acts == [("post", "c1")]
        assert office.entry().stage is Stage.WAITING_FOR_HEAT


class TestEntriesOnDisk:
    def test_two_couriers_go_by_what_is_there_now(self, office: Office, far: FarEnd) -> None:
        """What another process has put is not replaced by what this one remembers."""
        entry = office.has()
        one = office.courier()
        far.fails("post", Outcome.UNREACHABLE)
        with office.outbox.locked() as box:
            one.hand_over(box, entry)
            one.pursue(box, entry)
        far.errors.clear()
        far.acts.clear()
        office.has("c1", Stage.MAYBE_NOTIFIED)
        office.timer()
        one.deliver_all(due_only=True)
        assert [name for name, _ in far.acts] == ["notify", "clean"]

    @pytest.mark.parametrize("forced", [False, True])
    def test_a_damaged_one_is_made_anew_from_what_was_noted(
        self, office: Office, far: FarEnd, forced: bool
    ) -> None:
        given = inputs(**queue_of("c1"))
        office.store.begin(deployment.read(script("true", inputs=given)), Begun(forced))
        office.store.end("c1", Result(3))
        Path(office.settings.outbox, "c1.json").write_text('{"id": "c')
        office.timer()
        # How far it has come nobody knows: it is not posted again.
        assert far.acts[0] == ("notify", "c1")
        ((_, message),) = far.notified
        assert message["deploy_status_code"] == 3
        assert Path(office.settings.outbox, "c1.json.damaged").exists()

    def test_a_damaged_one_stays_until_the_new_one_is_kept(
        self, office: Office, far: FarEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else the result would be lost by a full disk, or by a power cut between the two."""
        given = inputs(**queue_of("c1"))
        office.store.begin(deployment.read(script("true", inputs=given)), Begun())
        office.store.end("c1", Result(3))
        Path(office.settings.outbox, "c1.json").write_text('{"id": "c')
        with monkeypatch.context() as patch:
            patch.setattr("heat_config.files.write_durably", _full)
            office.timer()
        assert office.outbox.ids() == ["c1"]
        office.timer()
        assert far.notified[0][1]["deploy_status_code"] == 3
        assert Path(office.settings.outbox, "c1.json.damaged").read_text() == '{"id": "c'

    def test_a_folder_in_the_place_of_one_is_put_out_of_the_way(
        self, office: Office, far: FarEnd
    ) -> None:
        given = inputs(**queue_of("c1"))
        office.store.begin(deployment.read(script("true", inputs=given)), Begun())
        office.store.end("c1", Result(3))
        Path(office.settings.outbox, "c1.json").mkdir()
        office.timer()
        assert far.notified[0][1]["deploy_status_code"] == 3

    def test_a_damaged_one_of_which_nothing_was_noted_is_said(
        self, office: Office, far: FarEnd, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path(office.settings.outbox, "c1.json").write_text(json.dumps({"id": "c1"}))
        office.timer()
        said = capsys.readouterr().err
        assert "c1.json.damaged holds no result that can be read" in said
        assert "the entry of c1 cannot be made anew" in said
        assert far.acts == []

    def test_a_newer_one_is_left_to_the_agent_that_wrote_it(
        self, office: Office, far: FarEnd, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = Path(office.settings.outbox, "c1.json")
        path.write_text('{"version": 99}')
        office.timer()
        office.supersede({"new": QUEUE})
        assert path.read_text() == '{"version": 99}'
        assert "is left to the agent that wrote it" in capsys.readouterr().err
        assert far.acts == []

    def test_one_from_before_there_was_a_version_is_delivered(
        self, office: Office, far: FarEnd
    ) -> None:
        old = {
            "id": "c1",
            "values": queue_of("c1"),
            "message": Result(3).as_dict(),
            "since": 1.0,
            "tries": 2,
            "due": 0.0,
            "doubt": True,
            "told_heat": False,
        }
        Path(office.settings.outbox, "c1.json").write_text(json.dumps(old))
        office.timer()
        assert far.acts[0] == ("look", "c1")
        assert far.notified[0][1]["deploy_status_code"] == 3

    def test_one_that_says_something_strange_does_not_stop_the_others(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has("c1")
        office.has("c2")
        path = Path(office.settings.outbox, "c1.json")
        strange = {**json.loads(path.read_text()), "since": "yesterday", "stage": 7, "new": [1]}
        path.write_text(json.dumps(strange))
        office.timer()
        assert ids_of(far, "post") == ["c2"]
        assert ids_of(far, "notify") == ["c1"]

    def test_one_of_a_program_that_is_not_asked_any_more_may_have_arrived(
        self, office: Office, far: FarEnd
    ) -> None:
        office.has("c1", Stage.REPEATABLE)
        office.timer()
        assert far.acts[0] == ("look", "c1")

    def test_one_of_a_program_is_its_own_to_repeat(self, office: Office, far: FarEnd) -> None:
        office.settings = office.settings._replace(notify="/bin/program")
        office.has("c1", Stage.REPEATABLE)
        far.fails("post", Outcome.UNKNOWN)
        office.timer()
        assert {name for name, _ in far.acts} == {"post"}

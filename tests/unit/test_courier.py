# SPDX-License-Identifier: Apache-2.0
"""What becomes of a result that is owed, with a far end that answers as told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from heat_config import deployment, signals
from heat_config.cloud.errors import CloudError
from heat_config.delivery import courier
from heat_config.delivery.courier import Courier
from heat_config.delivery.outbox import Entry, Outbox
from heat_config.result import Result
from heat_config.run import loop as agent
from heat_config.run.store import Store
from heat_config.settings import Settings
from heat_config.signals.sender import Accepted
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script, to
from tests.support.inbox import Inbox

AWAY = {"retry": True}
REFUSED: dict[str, bool] = {}
HOPELESS = {"hopeless": True}

# Such that the waits can be told apart and none is felt: the seconds are these
# times 60 and more.
FIRST_WAIT = 0.001


class FarEnd:
    """In place of every transport: accepts, unless told otherwise."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        """The configs whose results came, in that order."""
        self.cleaned: list[str] = []
        self.answers: dict[str, Any] = {}
        """For a config: what its transport raises, or returns."""
        self.doubts: list[bool] = []
        """Whether each sender was told that the result may have arrived before."""
        self.goes_round: Callable[[], object] | None = None
        """How Heat is told in the place of a queue."""

    def fails(self, config_id: str, **kind: bool) -> None:
        self.answers[config_id] = CloudError("the far end says no", **kind)

    def sender_for(
        self, entry: Entry, _: object, __: object, before: Callable[[], None]
    ) -> _Sender:
        return _Sender(self, entry, before)


class _Sender:
    limit = 1000
    heat_doubt = False

    def __init__(self, far: FarEnd, entry: Entry, before_heat: Callable[[], None]) -> None:
        self._far, self._id, self.doubt = far, entry.id, entry.doubt
        self._before_heat = before_heat
        far.doubts.append(entry.doubt)

    def _answer(self) -> Accepted:
        answer = self._far.answers.get(self._id, Accepted("the far end"))
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Accepted)
        return answer

    def send(self, _: Result) -> Accepted:
        self._far.sent.append(self._id)
        if self._far.goes_round:
            self._before_heat()
            self._far.goes_round()
        return self._answer()

    def clean(self) -> None:
        self._far.cleaned.append(self._id)
        self._answer()


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> FarEnd:
    made = FarEnd()
    monkeypatch.setattr(signals, "sender_for", made.sender_for)
    # How often a moment's trouble is tried again at once is retry's own affair.
    monkeypatch.setattr("heat_config.signals.retry.TRIES", 1)
    return made


class Office:
    """An outbox, and couriers that each make one round."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.outbox = Outbox(settings)

    def owes(self, config_id: str = "c1", place: str = "http://zaqar/", **more: Any) -> Entry:
        values = {"deploy_auth_url": place, "deploy_queue_id": f"queue-of-{config_id}"}
        wanted = {"values": values, "message": {"deploy_status_code": 0}, "since": time.time()}
        entry = Entry(config_id, **{**wanted, **more})
        self.outbox.put(entry)
        return entry

    def courier(self) -> Courier:
        return Courier(self.outbox, Store(self.settings), self.settings)

    def round(self, *, due_only: bool = False) -> None:
        self.courier().deliver_all(due_only=due_only)

    def owed(self, config_id: str = "c1") -> Entry:
        entry = self.outbox.get(config_id)
        assert entry
        return entry

    def given_up(self, config_id: str = "c1") -> Entry:
        entry = self.outbox.get_abandoned(config_id)
        assert entry and not self.outbox.get(config_id)
        return entry


@pytest.fixture
def office(settings: Settings) -> Office:
    return Office(settings._replace(first_wait=FIRST_WAIT))


def test_what_is_accepted_is_forgotten(office: Office, far: FarEnd) -> None:
    office.owes()
    office.round()
    assert far.sent == ["c1"]
    assert office.outbox.ids() == office.outbox.abandoned_ids() == []


def test_the_oldest_goes_first(office: Office, far: FarEnd) -> None:
    now = time.time()
    for config_id, age in (("a", 1), ("b", 3), ("c", 2)):
        office.owes(config_id, since=now - age)
    office.round()
    assert far.sent == ["b", "c", "a"]


def test_each_try_waits_twice_as_long_as_the_last_up_to_a_limit(
    office: Office, far: FarEnd
) -> None:
    office.owes()
    far.fails("c1", **AWAY)
    waits = []
    for tries in range(1, 9):
        before = time.time()
        office.round()
        after = time.time()
        owed = office.owed()
        assert owed.tries == tries
        wait = FIRST_WAIT * min(courier.BACKGROUND * 2 ** (tries - 1), courier.LONGEST)
        assert before + wait / 2 <= owed.due <= after + wait
        waits.append(wait)
    assert waits[1] == 2 * waits[0]
    assert waits[-1] == waits[-2] == FIRST_WAIT * courier.LONGEST


def test_the_waits_are_spread(office: Office, far: FarEnd) -> None:
    far.fails("c1", **AWAY)
    waits = set()
    for _ in range(5):
        office.owes()
        before = time.time()
        office.round()
        waits.add(office.owed().due - before)
    assert max(waits) - min(waits) > FIRST_WAIT


def test_a_great_many_tries_are_no_trouble(office: Office, far: FarEnd) -> None:
    office.owes(tries=100_000)
    far.fails("c1", **AWAY)
    office.round()
    assert office.owed().due < time.time() + FIRST_WAIT * courier.LONGEST + 1


def test_a_round_of_the_timer_leaves_what_is_not_due(office: Office, far: FarEnd) -> None:
    office.owes("later", due=time.time() + 600)
    office.owes("now", due=time.time() - 1)
    office.round(due_only=True)
    assert far.sent == ["now"]
    office.round()
    assert far.sent == ["now", "later"]


def test_what_was_tried_at_once_is_not_tried_again_at_the_end_of_the_run(
    office: Office, far: FarEnd
) -> None:
    office.owes()
    far.fails("c1", **AWAY)
    office.settings = office.settings._replace(first_wait=0)
    one = office.courier()
    one.deliver("c1", fresh=True)
    one.deliver_all(due_only=True)
    assert far.sent == ["c1"]


def test_refusals_in_a_row_have_an_end(office: Office, far: FarEnd) -> None:
    office.owes()
    far.fails("c1", **REFUSED)
    for _ in range(courier.REFUSALS - 1):
        office.round()
        assert office.owed().problem == "the far end says no"
    office.round()
    assert office.given_up().problem == (
        f"refused {courier.REFUSALS} times, the last time so: the far end says no"
    )


def test_only_a_refusal_of_its_content_makes_a_failure_of_a_result(
    office: Office, far: FarEnd
) -> None:
    """A gateway's stray 404 and then a 400 are not two refusals of what it holds."""
    office.owes()
    for kind, sent in (({}, 1), ({"bad_content": True}, 2), ({"bad_content": True}, 4)):
        far.fails("c1", **kind)
        office.round()
        assert len(far.sent) == sent
        assert office.owed().bad_content is bool(kind)


def test_bad_luck_in_between_begins_the_count_of_refusals_anew(office: Office, far: FarEnd) -> None:
    office.owes(refusals=courier.REFUSALS - 1)
    far.fails("c1", **AWAY)
    office.round()
    far.fails("c1", **REFUSED)
    office.round()
    assert office.owed().refusals == 1


def test_bad_luck_alone_has_no_end_while_the_result_is_young(office: Office, far: FarEnd) -> None:
    office.owes(tries=500)
    far.fails("c1", **AWAY)
    office.round()
    assert office.owed().tries == 501


def test_an_address_that_is_none_is_given_up_at_once(office: Office, far: FarEnd) -> None:
    office.owes()
    far.fails("c1", **HOPELESS)
    office.round()
    assert office.given_up().problem == "the far end says no"


def test_a_result_that_is_too_old_gets_a_last_try(office: Office, far: FarEnd) -> None:
    old = time.time() - office.settings.message_ttl - 10
    for config_id in ("c1", "c2"):
        office.owes(config_id, since=old, place=f"http://{config_id}/")
    far.fails("c1", **AWAY)
    office.round()
    assert far.sent == ["c1", "c2"]
    assert office.given_up("c1").problem == (
        f"older than {office.settings.message_ttl} s: the far end says no"
    )
    assert office.outbox.ids() == []


def test_what_is_away_for_one_is_not_tried_for_the_next(office: Office, far: FarEnd) -> None:
    for config_id in ("c1", "c2"):
        office.owes(config_id, place="http://away/")
        far.fails(config_id, **AWAY)
    office.owes("c3", place="http://here/")
    office.round()
    assert far.sent == ["c1", "c3"]
    assert office.owed("c2").tries == 0
    far.answers.clear()
    office.round()
    assert far.sent[2:] == ["c1", "c2"]


def test_a_refusal_of_one_says_nothing_about_the_next(office: Office, far: FarEnd) -> None:
    for config_id in ("c1", "c2"):
        office.owes(config_id)
    far.fails("c1", **REFUSED)
    office.round()
    assert far.sent == ["c1", "c2"]


def test_a_fault_of_a_transport_is_bad_luck(office: Office, far: FarEnd) -> None:
    office.owes(doubt=False)
    far.answers["c1"] = RuntimeError("unexpected")
    office.round()
    owed = office.owed()
    assert (owed.problem, owed.doubt, owed.refusals) == ("RuntimeError('unexpected')", True, 0)


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        (False, AWAY, False),
        (False, {"retry": True, "uncertain": True}, True),
        (True, AWAY, True),
        (True, REFUSED, True),
    ],
)
def test_a_doubt_stays_until_the_result_is_accepted(
    office: Office, far: FarEnd, before: bool, kind: dict[str, bool], after: bool
) -> None:
    office.owes(doubt=before)
    far.fails("c1", **kind)
    office.round()
    assert far.doubts == [before]
    assert office.owed().doubt == after


def test_a_result_that_this_run_has_made_is_in_no_doubt(office: Office, far: FarEnd) -> None:
    office.owes()
    assert office.owed().doubt
    office.courier().deliver("c1", fresh=True)
    assert far.doubts == [False]


def test_what_heat_has_by_another_way_leaves_a_copy_to_be_removed(
    office: Office, far: FarEnd
) -> None:
    office.owes(tries=9)
    far.answers["c1"] = Accepted("Heat", leaves_copy=True)
    before = time.time()
    office.round()
    owed = office.owed()
    assert owed.told_heat
    assert owed.due >= before + courier.CLEAN_AFTER
    office.round(due_only=True)
    # At once, because an update may come, and a minute later for one still on its way.
    assert (far.sent, far.cleaned) == (["c1"], ["c1"])
    office.round()
    assert (far.sent, far.cleaned) == (["c1"], ["c1", "c1"])
    assert office.outbox.ids() == []


def test_a_copy_that_cannot_be_removed_is_tried_again_and_in_the_end_forgotten(
    office: Office, far: FarEnd
) -> None:
    office.owes(told_heat=True)
    far.fails("c1", **AWAY)
    office.round()
    assert office.owed().tries == 1
    far.fails("c1", **REFUSED)
    for _ in range(courier.REFUSALS):
        office.round()
    assert far.sent == office.outbox.ids() == office.outbox.abandoned_ids() == []


QUEUE = {"deploy_queue_id": "q"}
URL = {"deploy_signal_id": "http://h/x", "deploy_auth_url": "http://h/"}
RESOURCE = {
    "deploy_auth_url": "http://h/",
    "deploy_stack_id": "stack/1",
    "deploy_resource_name": "deployment",
}


@pytest.mark.parametrize("values", [QUEUE, {**RESOURCE, **QUEUE}, URL, RESOURCE])
def test_a_result_for_which_there_is_a_newer_config_is_given_up(
    office: Office, far: FarEnd, values: dict[str, str]
) -> None:
    """Heat takes the first answer that it finds there for the newer config's."""
    office.owes("old", values=values, doubt=False)
    office.courier().drop_superseded({"other": {}, "new": values})
    assert office.given_up("old").problem == "Heat asks for a newer config, new"
    assert far.sent == []


def test_results_of_other_deployments_stay_owed(office: Office) -> None:
    office.owes("of a queue", values=QUEUE)
    office.owes("of a resource", values=RESOURCE)
    office.owes("of nothing", values={"deploy_action": "CREATE"})
    asked = {
        "new": {"deploy_queue_id": "q2"},
        "newer": {**RESOURCE, "deploy_resource_name": "another"},
        "none": {},
    }
    office.courier().drop_superseded(asked)
    assert len(office.outbox.ids()) == 3
    assert office.outbox.abandoned_ids() == []


def test_the_result_of_what_heat_asks_for_stays_owed(office: Office) -> None:
    office.owes("new", values=QUEUE)
    office.courier().drop_superseded({"new": QUEUE})
    assert not office.owed("new").told_heat


@pytest.mark.parametrize("told_heat", [False, True])
def test_a_superseded_result_that_may_be_on_the_queue_is_removed_there_at_once(
    office: Office, far: FarEnd, told_heat: bool
) -> None:
    office.owes("old", values=QUEUE, doubt=True, told_heat=told_heat, due=time.time() + 60)
    office.courier().drop_superseded({"new": QUEUE})
    assert (far.sent, far.cleaned) == ([], ["old"])
    assert office.outbox.ids() == office.outbox.abandoned_ids() == []


def test_a_superseded_copy_that_cannot_be_removed_yet_is_kept_in_mind(
    office: Office, far: FarEnd
) -> None:
    office.owes("old", values=QUEUE)
    far.fails("old", **AWAY)
    office.courier().drop_superseded({"new": QUEUE})
    assert office.owed("old").told_heat
    far.answers.clear()
    office.round()
    assert (far.sent, far.cleaned) == ([], ["old", "old"])
    assert office.outbox.ids() == []


# From here on there are real processes, and a real server at the far end.


class SlowInbox(Inbox):
    """Answers nobody before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = Event(), Event()
        self.answers = _Gate(self)


class _Gate(list[int]):
    def __init__(self, inbox: SlowInbox) -> None:
        self._inbox = inbox

    def __bool__(self) -> bool:
        self._inbox.asked.set()
        self._inbox.go_on.wait(60)
        return False


@pytest.fixture
def inbox() -> Iterator[SlowInbox]:
    server = SlowInbox()
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def start() -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start ``heat-config deliver`` in a process of its own."""
    started: list[subprocess.Popen[str]] = []
    code = "import sys; from heat_config.cli import main; sys.exit(main(['deliver']))"

    def begin() -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-c", code]
        started.append(
            subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def owe(settings: Settings, inbox: Inbox, *ids: str) -> None:
    for number, config_id in enumerate(ids):
        values = {"deploy_signal_id": inbox.url, "deploy_signal_verb": "PUT"}
        message = {"deploy_status_code": 0, "id": config_id}
        Outbox(settings).put(Entry(config_id, values, message, time.time() + number))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def waits_for_a_lock(process: subprocess.Popen[str]) -> bool:
    """Whether the kernel lists it as one that a lock holds up."""
    lines = Path("/proc/locks").read_text().splitlines()
    waiting = [line.split() for line in lines if " -> " in line]
    return any(str(process.pid) in fields for fields in waiting)


def test_processes_that_deliver_at_once_send_each_result_once(
    settings: Settings, inbox: SlowInbox, start: Callable[[], subprocess.Popen[str]]
) -> None:
    ids = ("a", "b", "c", "d")
    owe(settings, inbox, *ids)
    first = start()
    assert inbox.asked.wait(60)
    others = [start(), start()]
    wait_until(lambda: all(waits_for_a_lock(other) for other in others))
    inbox.go_on.set()
    assert [process.wait(60) for process in (first, *others)] == [0, 0, 0]
    assert sorted(message["id"] for message in inbox.messages) == list(ids)


def test_a_killed_process_leaves_no_lock_behind(
    settings: Settings, inbox: SlowInbox, start: Callable[[], subprocess.Popen[str]]
) -> None:
    owe(settings, inbox, "a")
    first = start()
    assert inbox.asked.wait(60)
    first.kill()
    first.wait()
    inbox.go_on.set()
    assert Outbox(settings).ids() == ["a"]
    second = start()
    assert second.wait(60) == 0
    assert Outbox(settings).ids() == []


def test_what_another_process_sends_meanwhile_is_not_given_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.owes("old", values=QUEUE, doubt=False)
    one = office.courier()
    ids = office.outbox.ids

    def and_then_it_is_sent() -> list[str]:
        found = ids()
        office.outbox.settle("old")
        return found

    monkeypatch.setattr(office.outbox, "ids", and_then_it_is_sent)
    one.drop_superseded({"new": QUEUE})
    assert ids() == office.outbox.abandoned_ids() == []


def test_the_timers_round_says_whether_something_is_left(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert agent.deliver(settings, due_only=True) == 0
    item = script("true", inputs=to("http://127.0.0.1:1/"))
    values = {entry["name"]: entry["value"] for entry in item["inputs"]}
    Outbox(settings).put(Entry("c1", values, {}, time.time(), due=time.time() + 600))
    assert agent.deliver(settings, due_only=True) == 1
    assert capsys.readouterr().err == ""


def test_the_outbox_is_read_before_it_is_believed(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(settings.outbox).mkdir()
    Path(settings.outbox, "c1.json").write_text(json.dumps({"id": "c1"}))
    assert agent.deliver(settings) == 0
    told = capsys.readouterr().err
    assert "c1.json is not a result that is owed" in told
    assert "c1.json.damaged cannot be made anew" in told
    assert Path(settings.outbox, "c1.json.damaged").exists()


def test_a_damaged_entry_is_made_anew_from_what_is_kept(office: Office, far: FarEnd) -> None:
    store = Store(office.settings)
    item = script("true", inputs=to("http://127.0.0.1:1/"))
    store.begin(deployment.read(item))
    store.end(item["id"], Result(3))
    Path(office.settings.outbox, f"{item['id']}.json").write_text('{"id": "c')
    far.answers[item["id"]] = CloudError("away", retry=True)
    office.round()
    owed = office.owed(item["id"])
    assert (owed.message["deploy_status_code"], owed.doubt) == (3, True)
    assert owed.values["deploy_signal_id"] == "http://127.0.0.1:1/"
    assert far.doubts == [True]


def test_a_later_try_that_is_cut_short_leaves_a_doubt(
    office: Office, far: FarEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.owes(doubt=False)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Outbox, "settle", cut)
    with pytest.raises(KeyboardInterrupt):
        office.round()
    assert far.doubts == [False]
    assert office.owed().doubt


def test_on_disk_heat_may_have_it_from_before_it_is_told(office: Office, far: FarEnd) -> None:
    """A power cut between the two leaves an entry that is not put on the queue any more."""
    told: list[bool] = []

    office.owes(doubt=False)
    far.goes_round = lambda: told.append(office.owed().heat_doubt)
    far.fails("c1", retry=True)
    office.round()
    assert told == [True]
    # This try is known to have failed.
    assert not office.owed().heat_doubt


def test_a_queue_is_cleaned_with_more_than_one_try(
    office: Office, far: FarEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heat_config.signals.retry.TRIES", 3)
    office.owes(told_heat=True)
    far.answers["c1"] = CloudError("away", retry=True)
    office.round()
    assert far.cleaned == ["c1"] * 3
    assert office.owed().told_heat

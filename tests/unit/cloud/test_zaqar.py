# SPDX-License-Identifier: Apache-2.0
"""One queue, as Zaqar's driver for Redis has it, whose pages leave out what has expired."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from requests import Request, Response

from heat_config.cloud import zaqar
from heat_config.cloud.errors import AnswerTooLargeError, CloudError, Outcome
from heat_config.cloud.zaqar import MOST_PAGES, PAGE, Queue


def response_of(status: int, content: object = "") -> Response:
    response = Response()
    response.status_code = status
    response.reason = "Reason"
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    response._content = text.encode()
    return response


class Zaqar:
    """Some messages in their order; each is there, "claimed" or "expired"."""

    def __init__(self, *states: str, refuses_claimed: bool = False) -> None:
        self.states = {f"m{number:03}": state for number, state in enumerate(states)}
        self.refuses_claimed = refuses_claimed
        self.requests = 0

    def endpoint(self) -> str:
        return "http://zaqar.example/"

    def request(self, url: str, method: str, **options: Any) -> Response:
        # As requests would send it.
        sent = urlsplit(str(Request(method, url, params=options["params"]).prepare().url))
        assert sent.path == "/v2/queues/queue/messages"
        assert options["headers"]["Client-ID"] == "client"
        self.requests += 1
        if method == "DELETE":
            return self._delete(sent.query.removeprefix("ids=").split(","))
        query = {name: value[0] for name, value in parse_qs(sent.query).items()}
        assert (query["echo"], query["limit"]) == ("true", str(PAGE))
        claimed = query.get("include_claimed") == "true"
        found = self._page(query.get("marker", ""), claimed)
        more = {"rel": "next", "href": f"/messages?marker={found[-1]}"} if found else None
        page = {"messages": [{"id": each} for each in found], "links": [more] if more else []}
        return response_of(503 if claimed and self.refuses_claimed else 200, page)

    def _delete(self, ids: Sequence[str]) -> Response:
        assert len(ids) <= PAGE
        for each in ids:
            self.states.pop(each, None)
        return response_of(204)

    def _page(self, marker: str, claimed: bool) -> list[str]:
        ids = list(self.states)
        shown = ("there", "claimed") if claimed else ("there",)
        if not marker:
            start = next((n for n, each in enumerate(ids) if self.states[each] == "there"), 0)
        else:
            # The driver takes the rank 0 of the first message for none.
            start = ids.index(marker) + 1 if marker in ids and ids.index(marker) else 0
        return [each for each in ids[start : start + PAGE] if self.states[each] in shown]


class Large:
    """A queue of messages of which only so many fit into one answer."""

    def __init__(self, fit: int, number: int = 45) -> None:
        self.ids = [f"m{at:03}" for at in range(number)]
        self._fit = fit

    def endpoint(self) -> str:
        return "http://zaqar.example/"

    def request(self, *_: str, **options: Any) -> Response:
        query = {name: value[0] for name, value in parse_qs(options["params"]).items()}
        size, after = int(query["limit"]), query.get("marker", "")
        if size > self._fit:
            raise AnswerTooLargeError("the answer of it is too large")
        found = [each for each in self.ids if each > after][:size]
        more = [{"rel": "next", "href": f"/messages?marker={found[-1]}"}] if found else []
        return response_of(200, {"messages": [{"id": each} for each in found], "links": more})


class Answering:
    """Answers each request with the same."""

    def __init__(self, status: int, content: object = "") -> None:
        self._response = response_of(status, content)
        self.requests = 0
        self.asked: dict[str, Any] = {}

    def endpoint(self) -> str:
        return "http://me:secret@zaqar.example?secret"

    def request(self, url: str, method: str, **options: Any) -> Response:
        self.requests += 1
        self.asked = {"url": url, "method": method, **options}
        return self._response


def queue_at(connection: Zaqar | Answering) -> Queue:
    return Queue(connection, "queue", "client")


def listed(zaqar: Zaqar) -> list[int]:
    return [int(message.id[1:]) for message in queue_at(zaqar).messages()]


class TestMessages:
    def test_an_empty_queue_costs_one_request(self) -> None:
        zaqar = Zaqar()
        assert listed(zaqar) == []
        assert zaqar.requests == 1

    @pytest.mark.parametrize("count", [1, 2, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE])
    def test_all_are_listed_once_and_in_order(self, count: int) -> None:
        zaqar = Zaqar(*["there"] * count)
        assert listed(zaqar) == list(range(count))
        assert zaqar.requests <= count / PAGE + 4

    def test_what_is_claimed_is_listed_where_it_belongs(self) -> None:
        assert listed(Zaqar("claimed", "there", "claimed", "there")) == [0, 1, 2, 3]

    def test_while_all_is_claimed_there_is_nothing(self) -> None:
        assert listed(Zaqar("claimed", "claimed")) == []

    def test_a_page_that_has_expired_hides_nothing_behind_it(self) -> None:
        states = ["claimed", "there", *["expired"] * 3 * PAGE, "there", "there"]
        zaqar = Zaqar(*states[:1], *states[2:])
        assert listed(zaqar) == [0, 3 * PAGE + 1, 3 * PAGE + 2]
        assert listed(Zaqar(*["expired"] * 2 * PAGE, "there")) == [2 * PAGE]

    def test_a_short_page_is_not_taken_for_the_last(self) -> None:
        states = ["there", *["expired"] * (PAGE - 2), "there", "there"]
        assert listed(Zaqar(*states)) == [0, PAGE - 1, PAGE]

    def test_where_claimed_ones_are_not_told_the_others_are(self) -> None:
        assert listed(Zaqar("claimed", "there", "there", refuses_claimed=True)) == [1, 2]


class TestUnclaimed:
    def test_what_is_claimed_is_left_out(self) -> None:
        found = queue_at(Zaqar("there", "claimed", "there")).unclaimed()
        assert [message.id for message in found] == ["m000", "m002"]

    def test_no_page_is_asked_for_before_it_is_due(self) -> None:
        zaqar = Zaqar(*["there"] * 3 * PAGE)
        found = queue_at(zaqar).unclaimed()
        assert zaqar.requests == 0
        assert [next(found).id for _ in range(PAGE)][-1] == f"m{PAGE - 1:03}"
        assert zaqar.requests == 1

    def test_a_look_has_an_end(self) -> None:
        zaqar = Zaqar(*["there"] * (MOST_PAGES + 5) * PAGE)
        assert len(list(queue_at(zaqar).unclaimed())) == MOST_PAGES * PAGE
        assert zaqar.requests == MOST_PAGES

    @pytest.mark.parametrize("text", ["größe: 日本 \U0001f600", "\x00\t"])
    def test_a_body_comes_as_it_was_posted(self, text: str) -> None:
        page = {"messages": [{"id": "m1", "body": {"text": text}}], "links": []}
        (message,) = queue_at(Answering(200, page)).unclaimed()
        assert message.body == {"text": text}


class TestAfter:
    def test_each_look_goes_on_behind_the_last(self) -> None:
        zaqar = Zaqar(*["there"] * (PAGE + 2))
        queue = queue_at(zaqar)
        first, marker = queue.after("")
        assert [each.id for each in first] == list(zaqar.states)
        assert queue.after(marker) == ([], marker)
        zaqar.states["n000"] = "there"
        found, later = queue.after(marker)
        assert [each.id for each in found] == ["n000"]
        assert later != marker

    def test_the_very_first_message_is_no_endless_list(self) -> None:
        """Zaqar's driver for Redis lists it again behind itself."""
        zaqar = Zaqar("there")
        queue = queue_at(zaqar)
        found, marker = queue.after("")
        assert [each.id for each in found] == ["m000"]
        assert queue.after(marker)[0] in ([], found)
        assert zaqar.requests <= 5

    @pytest.mark.parametrize(
        ("age", "is_read_as"), [(7, 7), (None, 0.0), ("old", 0.0), (1e300, 0.0), (-1, 0.0)]
    )
    def test_a_message_has_the_age_that_zaqar_gives_it(self, age: Any, is_read_as: float) -> None:
        page = {"messages": [{"id": "m1", "body": "", "age": age}], "links": []}
        ((message,), _) = queue_at(Answering(200, page)).after("")
        assert message.age == is_read_as


class TestDelete:
    @pytest.mark.parametrize("count", [0, 1, PAGE, 2 * PAGE + 1])
    def test_what_is_named_goes_and_the_rest_stays(self, count: int) -> None:
        zaqar = Zaqar(*["there"] * (count + 1))
        queue_at(zaqar).delete([f"m{number:03}" for number in range(count)])
        assert list(zaqar.states) == [f"m{count:03}"]


class TestPost:
    def test_one_message_is_posted_and_the_place_is_told_without_secrets(self) -> None:
        zaqar = Answering(201, {"resources": ["/v2/queues/queue/messages/m1"]})
        assert queue_at(zaqar).post({"n": 1}, 60) == "queue queue at http://zaqar.example"
        assert zaqar.asked["method"] == "POST"
        assert json.loads(zaqar.asked["data"]) == {"messages": [{"body": {"n": 1}, "ttl": 60}]}

    @pytest.mark.parametrize("content", [{}, [], {"resources": []}, 7])
    def test_a_success_without_a_message_is_a_strangers(self, content: object) -> None:
        with pytest.raises(CloudError) as raised:
            queue_at(Answering(201, content)).post({}, 60)
        assert raised.value.outcome is Outcome.UNKNOWN


def ask_all(connection: Answering) -> list[Outcome]:
    """What is known after each of its calls has failed."""
    queue = queue_at(connection)
    found = []
    for call in (
        lambda: queue.post({}, 60),
        lambda: list(queue.messages()),
        lambda: list(queue.unclaimed()),
        lambda: queue.delete(["m1"]),
    ):
        with pytest.raises(CloudError) as raised:
            call()
        assert str(raised.value).startswith("queue queue at http://zaqar.example")
        assert "secret" not in str(raised.value)
        found.append(raised.value.outcome)
    return found


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (301, Outcome.UNREACHABLE),
            (400, Outcome.CONTENT_REFUSED),
            (401, Outcome.REFUSED),
            (404, Outcome.REFUSED),
            (409, Outcome.REFUSED),
            (413, Outcome.TOO_LARGE),
            (429, Outcome.UNREACHABLE),
            (500, Outcome.UNKNOWN),
            (502, Outcome.UNKNOWN),
            (503, Outcome.UNKNOWN),
        ],
    )
    @pytest.mark.parametrize("content", ["", "<html>", {"title": "a", "description": "b"}])
    def test_no_status_passes_for_a_success(
        self, status: int, outcome: Outcome, content: object
    ) -> None:
        assert ask_all(Answering(status, content)) == [outcome] * 4

    @pytest.mark.parametrize("content", ["", "<html>Please log in</html>"])
    def test_what_is_no_json_is_a_strangers(self, content: str) -> None:
        assert ask_all(Answering(200, content)) == [Outcome.UNKNOWN] * 4

    @pytest.mark.parametrize(
        "page",
        [
            None,
            [],
            {},
            {"messages": None},
            {"messages": ["m1"]},
            {"messages": [{}]},
            {"messages": {"m1": {}}},
            {"messages": [{"id": "m1"}], "links": None},
            {"messages": [{"id": "m1"}], "links": ["next"]},
            {"messages": [{"id": "m1"}], "links": [{"rel": "next"}]},
            {"messages": [{"id": "m1"}], "links": [{"rel": "next", "href": 7}]},
        ],
    )
    def test_a_page_that_is_none_is_a_strangers(self, page: object) -> None:
        with pytest.raises(CloudError) as raised:
            list(queue_at(Answering(200, page)).unclaimed())
        assert raised.value.outcome is Outcome.UNKNOWN

    def test_zaqars_own_reason_is_told(self) -> None:
        reason = {"title": "Invalid API request", "description": "ttl is too small"}
        with pytest.raises(CloudError, match="answered 400: Invalid API request: ttl is too small"):
            queue_at(Answering(400, reason)).post({}, 1)

    def test_else_what_there_is(self) -> None:
        with pytest.raises(CloudError, match=r"answered 502: Reason$"):
            queue_at(Answering(502)).post({}, 60)


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "a?b", "q\n"])
def test_a_name_that_no_queue_can_have_is_not_asked_for(name: str) -> None:
    with pytest.raises(CloudError, match="no queue can have the name") as raised:
        Queue(Zaqar(), name, "client")
    assert raised.value.outcome is Outcome.UNUSABLE


@pytest.mark.parametrize("fit", [1, 3, 4, 19, 20])
def test_where_messages_are_large_fewer_are_asked_for(fit: int) -> None:
    large = Large(fit)
    found = [each.id for each in Queue(large, "queue", "client").unclaimed()]
    assert found == large.ids


def test_a_message_that_alone_is_too_large_is_an_error() -> None:
    with pytest.raises(AnswerTooLargeError):
        list(Queue(Large(0), "queue", "client").unclaimed())


def test_a_look_begins_no_page_when_it_has_taken_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was listed until then counts; else a slow queue would never be read."""
    monkeypatch.setattr(zaqar, "LONGEST_LOOK", -1)
    large = Large(PAGE)
    found = [each.id for each in Queue(large, "queue", "client").unclaimed()]
    assert found == large.ids[:PAGE]

# SPDX-License-Identifier: Apache-2.0
"""``follow`` and ``overview`` on a Heat of the test's own, and on queues behind real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace as Of
from typing import Any

import pytest
from heatclient import exc

from heat_config.cloud.errors import CloudError
from heat_config.cloud.trust import Trust
from heat_config.progress import message
from heat_config.progress.message import Phase, Progress
from heat_operator import follow, rows, words
from heat_operator.following import HOW, Followed, Following, OfOne, OfStack, Pace
from tests.support.serving import serving
from tests.support.signed_zaqar import SignedZaqar

NONE = "* posts no progress; shown is what Heat knows"
AT_ONCE = Pace(0.01, 0.01, 0.01)


@pytest.fixture
def zaqar() -> Iterator[SignedZaqar]:
    with serving(SignedZaqar("GET", "POST")) as made:
        yield made


class Found(dict[str, Any]):
    """Things by their ids, as one of Heat's managers has them."""

    def get(self, name: str) -> Any:  # type: ignore[override]
        if name not in self:
            raise exc.HTTPNotFound
        return self[name]

    def list(self, *_of: Any, **_options: Any) -> list[Any]:
        return [*self.values()]


class Heat:
    """One stack with one deployment."""

    def __init__(self, address: str | None) -> None:
        self.stack = Of(id="s1", stack_status="CREATE_IN_PROGRESS")
        self.deployment = Of(
            id="d1",
            server_id="web",
            config_id="c1",
            status="IN_PROGRESS",
            creation_time="2026-01-01T00:00:00Z",
        )
        inputs = [{"name": "deploy_progress_id", "value": address}, {"name": "other", "value": 1}]
        self.stacks = Found(name=self.stack, s1=self.stack)
        self.software_deployments = Found(d1=self.deployment)
        self.software_configs = Found(c1=Of(id="c1", name="c", group="script", inputs=inputs))
        resource = Of(resource_name="install", physical_resource_id="d1", resource_type="Of::My")
        self.resources = Found(install=resource)

    def ends(self, status: str, stack: str, **outputs: Any) -> None:
        self.deployment.status = status
        self.deployment.output_values = outputs
        self.stack.stack_status = f"CREATE_{stack}"


def put(zaqar: SignedZaqar, number: int, *lines: str, **more: Any) -> None:
    said = Progress("c1", "r1", number, Phase.RUNNING, 1.0, "script", 60.0, lines=lines)
    zaqar.put(message.body(said._replace(**more)))


def end(zaqar: SignedZaqar, number: int, code: str) -> None:
    put(zaqar, number, phase=Phase.ENDED, status_code=code, signal="delivered")


def followed(
    heat: Any, then: Callable[[str], object], target: str = "stack"
) -> tuple[int, list[str]]:
    """Follow it; ``then`` is called with each line, and may change what Heat has."""
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        then(line)

    of = OfStack(heat, "s1") if target == "stack" else OfOne(heat, "d1")
    make = lambda name: Followed(heat, Trust(), lambda line: write(f"{name} {line}"))  # noqa: E731
    return Following(of, make, write, AT_ONCE).run(), lines


def test_a_stack_is_followed_to_its_end(zaqar: SignedZaqar) -> None:
    heat = Heat(zaqar.text)
    put(zaqar, 0, phase=Phase.RECEIVED)

    def then(line: str) -> None:
        if line == "install * posted":
            put(zaqar, 1, "one", "two")
            put(zaqar, 1, "one", "two")
            zaqar.put("a stranger", {"heat_progress": 1})
        if line == "install | two":
            end(zaqar, 2, "0")
            heat.ends("COMPLETE", "COMPLETE")

    status, lines = followed(heat, then)
    assert status == 0
    assert lines[:5] == [
        "install * received, waits for its turn",
        "install * posted",
        "install * running for 1 s, hook script, time limit 60 s",
        "install | one",
        "install | two",
    ]
    assert sorted(lines[5:]) == [
        "install * ended with status code 0 after 1.0 s, signal delivered",
        "install * taken",
    ]


@pytest.mark.parametrize(
    ("status", "stack", "outputs", "of_one", "of_stack"),
    [
        ("FAILED", "FAILED", {"deploy_status_code": "3"}, 3, 1),
        ("FAILED", "FAILED", {"deploy_status_code": 900}, 1, 1),
        ("FAILED", "FAILED", {}, 1, 1),
        ("FAILED", "FAILED", {"deploy_status_code": "odd"}, 1, 1),
        ("COMPLETE", "COMPLETE", {"deploy_status_code": 0}, 0, 0),
        ("COMPLETE", "FAILED", {}, 0, 1),
    ],
)
def test_the_exit_status_is_the_deployments(
    status: str, stack: str, outputs: dict[str, Any], of_one: int, of_stack: int
) -> None:
    heat = Heat(None)
    heat.ends(status, stack, **outputs)
    assert followed(heat, str, "one")[0] == of_one
    assert followed(heat, str)[0] == of_stack


def test_what_posts_no_progress_says_how_and_shows_heats_word() -> None:
    heat = Heat(None)

    def then(line: str) -> None:
        if line == "install * posted":
            heat.deployment.status_reason = "it\nbroke"
            heat.ends("FAILED", "FAILED")

    status, lines = followed(heat, then)
    assert (status, lines) == (
        1,
        [f"install {NONE}", "install * posted", HOW, "install * failed: it broke"],
    )


def test_an_outage_is_said_once_and_nothing_is_lost(zaqar: SignedZaqar) -> None:
    heat = Heat(zaqar.text)
    zaqar.listing = b"no JSON"
    deployments = heat.software_deployments
    looks = 0

    class Away(Found):
        def list(self, *_of: Any, **_options: Any) -> list[Any]:
            nonlocal looks
            looks += 1
            if looks in (2, 3):
                raise exc.HTTPServiceUnavailable("503")
            return deployments.list()

    heat.software_deployments = Away(deployments)

    def then(line: str) -> None:
        if line == "Heat answers again":
            zaqar.listing = None
            put(zaqar, 0, "one")
        if line == "install | one":
            end(zaqar, 1, "0")
            heat.ends("COMPLETE", "COMPLETE")

    status, lines = followed(heat, then)
    assert status == 0
    shown = [line.partition(":")[0] for line in lines]
    assert [shown.count(each) for each in sorted(set(shown))] == [1] * len(set(shown))
    assert {
        "install * its progress cannot be read",
        "install * its progress can be read again",
        "Heat cannot be asked, it is tried again",
        "Heat answers again",
        "install | one",
    } < set(shown)


def test_a_stack_that_has_gone_is_over(zaqar: SignedZaqar) -> None:
    heat = Heat(zaqar.text)
    status, lines = followed(heat, lambda _: heat.stacks.clear())
    assert (status, lines[-1]) == (0, "Heat has it no more")


def test_an_address_that_is_none_is_said(zaqar: SignedZaqar) -> None:
    heat = Heat(zaqar.text.replace("methods", "method"))
    status, lines = followed(heat, lambda _: heat.ends("COMPLETE", "COMPLETE"))
    assert status == 0
    assert lines[0].startswith("install * its progress cannot be read: the signed address")
    assert zaqar.address.signature not in "".join(lines)


def test_neither_a_stack_nor_a_deployment() -> None:
    with pytest.raises(Exception, match="there is no stack or deployment x"):
        follow._target(Heat(None), "x")


def test_an_update_is_another_run(zaqar: SignedZaqar) -> None:
    heat = Heat(zaqar.text)

    def then(line: str) -> None:
        if line == "install * posted" and heat.deployment.config_id == "c1":
            heat.software_configs["c2"] = Of(id="c2", inputs=[])
            heat.deployment.config_id = "c2"
        elif line == HOW:
            heat.ends("COMPLETE", "COMPLETE")

    _, lines = followed(heat, then)
    assert lines == [
        "install * posted",
        f"install {NONE}",
        "install * posted",
        HOW,
        "install * taken",
    ]


def seen_in_overview(heat: Any) -> tuple[str, str]:
    found = rows.overview(heat, "s1", words.Words(heat, Trust()).of)
    (row,) = found.rows
    return row.state, row.last_word


@pytest.mark.parametrize(
    ("phase", "age", "state"),
    [
        (Phase.RECEIVED, 5.0, "received"),
        (Phase.RUNNING, 5.0, "running since T-6"),
        (Phase.RUNNING, 500.0, "nothing heard since T-500"),
        (Phase.ENDED, 500.0, "answered"),
    ],
)
def test_overview_has_the_servers_word(
    phase: Phase, age: float, state: str, zaqar: SignedZaqar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "moment", lambda ago: f"T-{ago:.0f}")
    put(zaqar, 0, phase=phase)
    read = words.Queue.news
    monkeypatch.setattr(
        words.Queue,
        "news",
        lambda self: [each._replace(at=each.at - age) for each in read(self)],
    )
    heat = Heat(zaqar.text)
    assert seen_in_overview(heat) == (state, f"T-{age:.0f}")
    heat.deployment.status = "COMPLETE"
    assert seen_in_overview(heat)[0] == "taken"


def test_overview_has_heats_word_where_the_queue_cannot_be_read(zaqar: SignedZaqar) -> None:
    zaqar.has_ended = True
    heat = Heat(zaqar.text)
    queue = words.queue_of(heat, heat.deployment, Trust())
    assert queue
    with pytest.raises(CloudError):
        queue.news()
    assert seen_in_overview(heat) == ("posted", "2026-01-01T00:00:00Z")

# SPDX-License-Identifier: Apache-2.0
"""Where a stack's time went, as Heat's events and the deployments' outputs have it."""

from __future__ import annotations

import io
import re
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any

import pytest

from heat_operator import drawing, history, page, picture, timeline
from heat_operator.spans import Moments, Phase, Row, Span, Step, Timeline, of_deployment, skewed
from tests.support.svg import SPACE, read, texts

START = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()


def at(seconds: float) -> str:
    moment = datetime.fromtimestamp(START + seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def links(stack: str) -> list[dict[str, str]]:
    return [{"rel": "self", "href": "x"}, {"rel": "stack", "href": f"http://heat/s/name/{stack}"}]


def resource(name: str, physical: str, stack: str = "s", **more: Any) -> Any:
    of = {"required_by": [], "links": links(stack), **more}
    return Of(resource_name=name, physical_resource_id=physical, **of)


def event(seconds: float, name: str, status: str, stack: str = "s", physical: str = "") -> Any:
    of = {"resource_name": name, "resource_status": status, "physical_resource_id": physical}
    return Of(event_time=at(seconds), links=links(stack), **of)


def deployment(ident: str, server: str, answered: float, **times: Any) -> Any:
    output = {"deploy_times": {key: START + value for key, value in times.items()}}
    of = {"status": "COMPLETE", "updated_time": at(answered), "output_values": output}
    return Of(id=ident, server_id=server, **of)


def heat(**more: list[Any]) -> Any:
    """A server, on which a group of one deployment comes after another deployment."""
    resources = [
        resource("web", "server-1", required_by=["first", "group"]),
        resource("first", "d-1", required_by=["group"]),
        resource("group", "nested"),
        resource("0", "d-2", "nested", parent_resource="group"),
        resource("aside", "not a deployment"),
    ]
    events = [
        event(-90, "stack", "CREATE_IN_PROGRESS", physical="s"),
        event(-80, "web", "CREATE_FAILED"),
        event(-70, "stack", "CREATE_FAILED", physical="s"),
        event(0, "stack", "UPDATE_IN_PROGRESS", physical="s"),
        event(0, "web", "UPDATE_IN_PROGRESS"),
        event(4, "web", "UPDATE_COMPLETE"),
        event(4, "first", "UPDATE_IN_PROGRESS"),
        event(20, "first", "SIGNAL_COMPLETE"),
        event(21, "first", "UPDATE_COMPLETE"),
        event(22, "group", "UPDATE_IN_PROGRESS"),
        event(22, "0", "CREATE_IN_PROGRESS", "nested"),
        event(30, "0", "CREATE_COMPLETE", "nested"),
        event(31, "group", "UPDATE_COMPLETE"),
        event(32, "stack", "UPDATE_COMPLETE", physical="s"),
    ]
    deployments = [
        deployment("d-1", "server-1", 20, begun=6, ended=19.5),
        deployment("d-2", "server-1", 29),
        deployment("d-3", "of-another-stack", 29),
    ]
    found = {"resources": resources, "events": events, "software_deployments": deployments, **more}
    listing = {
        name: Of(list=lambda *_of, _found=each, **_options: list(_found))
        for name, each in found.items()
    }
    stack = Of(id="s", stack_name="stack", stack_status="UPDATE_COMPLETE")
    return Of(stacks=Of(get=lambda *_of, **_options: stack), **listing)


def seconds(row: Row) -> list[tuple[Phase, float, float]]:
    return [(each.phase, each.begin - START, each.end - START) for each in row.spans]


def test_the_last_action_alone_is_shown_by_server_and_phase() -> None:
    found = history.timeline(heat(), "stack")
    assert (found.title, found.seconds) == ("stack: UPDATE_COMPLETE", 32)
    assert [(row.server, row.name) for row in found.rows] == [
        *(("web", "web"), ("web", "first"), ("web", "group/0")),
    ]
    assert seconds(found.rows[0]) == [(Phase.MADE, 0, 4)]
    assert seconds(found.rows[1]) == [
        (Phase.WAITS, 0, 4),
        (Phase.QUEUE, 4, 6),
        (Phase.HOOK, 6, 19.5),
        (Phase.SIGNAL, 19.5, 20),
        (Phase.HEAT, 20, 21),
    ]
    assert seconds(found.rows[2]) == [
        *((Phase.WAITS, 0, 22), (Phase.SERVER, 22, 29), (Phase.HEAT, 29, 30)),
    ]


def test_the_critical_path_goes_through_what_is_needed_and_into_groups() -> None:
    found = history.timeline(heat(), "stack")
    assert found.path == (Step("web", 4), Step("first", 17), Step("group/0", 9))
    assert all(row.critical for row in found.rows)


def test_all_of_one_second_keeps_its_order_and_what_was_left_ends_with_the_stack() -> None:
    events = [
        event(0, "stack", "CREATE_IN_PROGRESS", physical="s"),
        event(0, "aside", "CREATE_COMPLETE"),
        event(0, "stack", "CREATE_COMPLETE", physical="s"),
        event(0, "stack", "UPDATE_IN_PROGRESS", physical="s"),
        event(0, "web", "UPDATE_IN_PROGRESS"),
        event(0, "web", "UPDATE_COMPLETE"),
        event(1, "group", "UPDATE_IN_PROGRESS"),
        event(1, "first", "UPDATE_IN_PROGRESS"),
        event(8, "first", "UPDATE_FAILED"),
        event(8, "stack", "UPDATE_FAILED", physical="s"),
        event(9, "0", "CREATE_IN_PROGRESS", "nested"),
    ]
    given = [deployment(each, "server-1", 8) for each in ("d-1", "d-2")]
    found = history.timeline(heat(events=events, software_deployments=given), "stack")
    rows = {row.name: (row.status, row.end - START, row.critical) for row in found.rows}
    assert found.seconds == 8
    assert rows == {
        "web": ("COMPLETE", 0, True),
        "first": ("FAILED", 8, True),
        "group/0": ("UNFINISHED", 9, False),
    }
    assert [step.name for step in found.path] == ["web", "first"]


def test_what_is_not_on_it_is_not_critical() -> None:
    events = [
        event(0, "stack", "CREATE_IN_PROGRESS", physical="s"),
        event(0, "web", "CREATE_IN_PROGRESS"),
        event(9, "web", "CREATE_COMPLETE"),
        event(1, "first", "CREATE_IN_PROGRESS"),
        event(5, "first", "CREATE_FAILED"),
    ]
    resources = [resource("web", "server-1"), resource("first", "d-1")]
    found = history.timeline(heat(events=events, resources=resources), "stack")
    assert {row.name: row.critical for row in found.rows} == {"web": True, "first": False}
    assert [row.status for row in found.rows] == ["COMPLETE", "FAILED"]


@pytest.mark.parametrize("begin", [2, 1e9])
def test_what_is_in_progress_ends_now(begin: float) -> None:
    events = [
        event(0, "stack", "CREATE_IN_PROGRESS", physical="s"),
        event(begin, "first", "CREATE_IN_PROGRESS"),
    ]
    found = history.timeline(heat(events=events, resources=[resource("first", "d-1")]), "stack")
    (row,) = found.rows
    assert (row.status, row.end) == ("IN_PROGRESS", found.end)
    assert found.end > START + 30


def test_an_answer_to_an_action_of_before_says_nothing_of_this_one() -> None:
    given = [deployment("d-1", "server-1", -20, begun=-30, ended=-21)]
    found = history.timeline(heat(software_deployments=given), "stack")
    assert seconds(found.rows[1]) == [(Phase.WAITS, 0, 4), (Phase.SERVER, 4, 21)]
    assert found.notes == ()


@pytest.mark.parametrize(
    "times",
    [
        *(None, {}, "now", {"begun": "x", "ended": 1}, {"begun": 2, "ended": 1}, {"begun": 1}),
        *({"begun": float("nan"), "ended": 1.0}, {"begun": 0, "ended": float("inf")}),
        {"begun": -1e308, "ended": 1e308},
    ],
)
def test_times_that_no_agent_has_written_are_passed_over(times: Any) -> None:
    given = deployment("d-1", "server-1", 20)
    given.output_values = {"deploy_times": times}
    found = history.timeline(heat(software_deployments=[given]), "stack")
    assert Phase.SERVER in [span.phase for span in found.rows[1].spans]


@pytest.mark.parametrize(
    ("begun", "ended", "moved"), [(6, 19, 0), (6, 20.9, 0), (-54, -44, 58), (66, 76, -55)]
)
def test_a_clock_that_is_off_is_noticed(begun: float, ended: float, moved: float) -> None:
    known, by = skewed(Moments(0, 4, 20, 21, begun, ended))
    assert by == moved
    spans = of_deployment(known)
    assert [each.begin for each in spans][1:] == [each.end for each in spans][:-1]
    assert (spans[0].begin, spans[-1].end) == (0, 21)
    (hook,) = (each for each in spans if each.phase is Phase.HOOK)
    assert hook.seconds == pytest.approx(ended - begun)


def test_a_hook_that_took_longer_than_heat_waited_is_cut_there() -> None:
    known, _ = skewed(Moments(0, 4, 20, 21, 100, 200))
    assert of_deployment(known)[-1].end == 21


def test_a_clock_that_is_off_is_said() -> None:
    given = [deployment("d-1", "server-1", 20, begun=-54, ended=-44)]
    found = history.timeline(heat(software_deployments=given), "stack")
    assert found.notes == ("web: its clock is off by 58 s or more; moved",)


HOSTILE = Timeline(
    "s: CREATE_FAILED",
    0,
    100,
    (
        Row("web", "web", "COMPLETE", (Span(Phase.MADE, 0, 10),)),
        Row(
            "web",
            "<b>&'\"" + "n" * 99,
            "FAILED",
            (Span(Phase.WAITS, 0, 10), Span(Phase.HOOK, 10, 99.99), Span(Phase.HEAT, 99.99, 100)),
            critical=True,
        ),
    ),
    (Step("<b>", 100),),
)


def test_in_a_terminal_it_is_as_wide_as_that_and_shows_what_took_no_time() -> None:
    lines = drawing.text(HOSTILE, 100).splitlines()
    row = next(line for line in lines if line.startswith("*"))
    assert all(len(line) <= 100 for line in lines[:6])
    assert row.count("#") > 10
    assert "+" in row
    assert row.endswith("1 min 30 s (hook 1 min 30 s) failed")
    assert "* critical path: <b> 1 min 40 s" in lines


def test_what_is_below_is_folded_between_its_parts() -> None:
    path = tuple(Step(f"deployment-{number}", 100) for number in range(20))
    lines = drawing.text(HOSTILE._replace(path=path), 60).splitlines()
    below = lines[lines.index("", 2) + 1 :]
    assert max(map(len, below)) <= 60
    assert " ".join(below).count("then deployment-") == 19
    assert below[:2] == [
        ". waits for what it depends on  - Heat makes the server",
        "# hook  + Heat again",
    ]


def test_a_picture_says_when_the_action_began() -> None:
    moved = HOSTILE._replace(begin=START, end=START + 100)
    assert "2026-01-01 00:00:00 UTC, 1 min 40 s in all" in texts(read(picture.svg(moved)))


@pytest.mark.parametrize("seconds", [0, 0.3, 59, 3600, 90_000, 40_000_000])
def test_any_time_has_an_axis(seconds: float) -> None:
    empty = Timeline("s", 5, 5 + seconds, (Row("a", "a", "COMPLETE", (Span(Phase.MADE, 5, 5),)),))
    axis = drawing.text(empty, 100).splitlines()[2]
    assert 1 <= axis.count("|") <= 8
    read(picture.svg(empty))


def test_a_picture_holds_all_of_it_and_no_markup_of_others() -> None:
    root = read(picture.svg(HOSTILE))
    titles = [each.text or "" for each in root.iter(f"{SPACE}title")]
    assert any(each.endswith("hook: 1 min 30 s") and "<b>&'\"" in each for each in titles)
    width = float(root.attrib["width"])
    bars = [each for each in root.iter(f"{SPACE}rect") if each.find(f"{SPACE}title") is not None]
    assert len(bars) == 4
    assert all(float(each.attrib["x"]) + float(each.attrib["width"]) < width for each in bars)
    written = page.html(HOSTILE)
    assert len(re.findall("<tr[ >]", written)) == 3
    assert "<b>" not in written


def test_a_dark_page_has_another_colour_for_all_that_a_light_one_would_swallow() -> None:
    written = page.html(HOSTILE)
    by_day = {each.attrib["fill"] for each in read(picture.svg(HOSTILE)).iter(f"{SPACE}text")}
    _, _, by_night = written.partition("prefers-color-scheme: dark")
    assert len(by_day) == 4
    assert all(f'[fill="{colour}"] {{ fill: #' in by_night for colour in {*by_day, "#ffffff"})
    assert '<meta name="viewport"' in written


def run(*arguments: str, encoding: str = "utf-8") -> str:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    app: Any = Of(client_manager=Of(orchestration=heat()), stdout=out)
    made = timeline.Timeline(app, None)
    parsed = made.get_parser("timeline").parse_args(["stack", *arguments])
    assert made.run(parsed) == 0
    out.seek(0)
    return out.read()


@pytest.mark.parametrize("kind", ["svg", "html"])
def test_the_command_prints_it_or_writes_a_file(kind: str, tmp_path: Path) -> None:
    assert "group/0" in run(encoding="ascii")
    assert run(f"--{kind}", str(tmp_path / "file")) == ""
    assert "group/0" in (tmp_path / "file").read_text(encoding="utf-8")

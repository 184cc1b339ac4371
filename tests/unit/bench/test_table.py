# SPDX-License-Identifier: Apache-2.0
"""From figures to the table, the chart and the page, without anything being measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import __main__ as runner
from bench import chart, page, results, table
from bench.figure import Against, Figure, Goal, sample
from bench.given import Given
from bench.results import Results
from bench.rows import ROWS, Row

MET = Figure("met", "ms", sample([3, 1, 2]), sample([8.0]), sample([4]), (Goal(0.5, Against.PEER),))
MISSED = Figure("missed <&>", "MB", sample([41.0]), goals=(Goal(30.0),), note="why")
TWO = Figure(
    "two goals",
    "ms",
    sample([30.0]),
    sample([60.0]),
    sample([20.0]),
    (Goal(0.6, Against.PEER), Goal(1.2, Against.FLOOR)),
)
FIGURES = (MET, MISSED, TWO, Figure("no goal", "s", sample([1.0])))
RESULTS = Results("2026-11-25", "2 cores", "abc", False, 61.0, FIGURES, ("boot: no image",))


def test_ratios_are_of_medians() -> None:
    assert (MET.to_peer, MET.to_floor) == (0.25, 0.5)
    assert MISSED.to_peer is None


def test_a_goal_that_was_missed_says_by_how_much() -> None:
    assert [table.outcome(each) for each in MET.verdicts] == ["met"]
    assert [table.outcome(each) for each in MISSED.verdicts] == ["MISSED by 37%"]
    assert [table.outcome(each) for each in TWO.verdicts] == ["met", "MISSED by 25%"]


def test_a_goal_about_what_was_not_measured_is_not_met() -> None:
    figure = Figure("f", "s", sample([1.0]), goals=(Goal(2.0, Against.PEER),))
    (verdict,) = figure.verdicts
    assert not verdict.is_met
    assert table.outcome(verdict) == "not measured"


def test_the_table_has_median_spread_and_each_goal() -> None:
    lines = [" ".join(line.split()) for line in table.text(FIGURES).splitlines()]
    assert lines[1] == "met ms 2.00 (1.00 … 3.00) 8.00 4.00 0.25 0.50 ours / peer ≤ 0.5 met"
    assert lines[3].endswith("ours / peer ≤ 0.6 met")
    assert lines[4] == "ours / floor ≤ 1.2 MISSED by 25%"
    assert lines[5] == "no goal s 1.00"


def test_the_results_file_holds_all_that_was_measured(tmp_path: Path) -> None:
    results.write(tmp_path / "results.json", RESULTS)
    assert results.read(tmp_path / "results.json") == RESULTS


def test_the_chart_shows_each_figure_each_contender_and_each_goal() -> None:
    root = ElementTree.fromstring(chart.svg(FIGURES, "a <title>"))  # noqa: S314 - our own
    texts = [element.text for element in root.iter() if element.text]
    assert {f"{each.name}, {each.unit}" for each in FIGURES} <= set(texts)
    assert "MISSED by 37%" in texts
    tags = [element.tag.rpartition("}")[2] for element in root]
    bars, goals = 8, 4
    # Besides, the ground, and the legend's three; of each bar a line from least to most.
    assert tags.count("rect") == 1 + 3 + bars
    assert tags.count("line") == bars + goals


def test_the_page_says_when_and_where_what_was_met_and_what_is_missing(tmp_path: Path) -> None:
    results.write(tmp_path / "results.json", RESULTS)
    page.make(tmp_path / "results.json", tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    for said in ("2026-11-25", "2 cores", "version abc", "Goals met: 2 of 4", "boot: no image"):
        assert said in text
    assert "](page.svg)" in text
    assert (tmp_path / "page.svg").exists()


def test_the_published_page_and_chart_are_those_of_the_results(tmp_path: Path) -> None:
    made = tmp_path / page.PAGE.name
    page.make(page.RESULTS, made)
    assert page.PAGE.read_text() == made.read_text()
    assert page.PAGE.with_suffix(".svg").read_text() == made.with_suffix(".svg").read_text()


def test_a_row_that_cannot_be_measured_does_not_keep_others_from_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(runner, "CACHE", tmp_path)

    def broken(given: Given) -> Iterator[Figure]:
        yield MET._replace(ours=sample([given.either(1.0, 2.0)]))
        raise OSError("no network")

    def other(given: Given) -> Iterator[Figure]:
        yield Figure("other", "s", sample([given.either(1.0, 2.0)]))

    found = runner.measured([Row("broken", broken), Row("other", other)], is_quick=True)
    assert [each.name for each in found.figures] == ["met", "other"]
    assert found.figures[1].ours == sample([1.0])
    assert found.failed == ("broken: OSError('no network')",)


def test_each_row_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)

# SPDX-License-Identifier: Apache-2.0
"""How many of each part so many servers need."""

from __future__ import annotations

from pathlib import Path

from scale.arithmetic import MEASURED, SIZES, Costs, needs, table

PAGE = Path(__file__).parents[3] / "docs/scale.md"


def test_the_page_has_the_table_that_follows_from_what_was_measured() -> None:
    assert "\n".join(table(MEASURED, *SIZES)) in PAGE.read_text()


def test_the_costs_on_the_page_are_those() -> None:
    text = PAGE.read_text()
    assert [cost for cost in MEASURED if f"{cost} ms" not in text] == []


def test_twice_as_many_servers_need_twice_as_much() -> None:
    costs = Costs(2, 0.25, 20, 2, 30)
    one, two = needs(324_000, costs), needs(648_000, costs)
    assert one.looks == 10_000
    assert (one.polling, one.update, one.redis) == (40, 62, 8)
    assert (two.looks, two.polling, two.update) == (20_000, 80, 124)
    assert one.pushed == 540
    assert one.tokens == 90


def test_a_few_servers_need_one_of_each() -> None:
    found = needs(1, Costs(2, 0.25, 20, 2, 30))
    assert (found.polling, found.update, found.redis) == (1, 1, 1)

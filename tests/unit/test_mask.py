# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest

from heat_config import mask
from heat_config.mask import Mask

ODD = 'pa"ss wörd/\\+&%\n\u2028'


def masking(*secrets: str) -> Mask:
    made = Mask()
    made.add(secrets)
    return made


@pytest.mark.parametrize(
    "secret", ["abcd", "hunter22", "hunter22hunter22", "ä" * 4, ODD, "x" * 9000]
)
@pytest.mark.parametrize("before", range(10))
def test_a_secret_is_masked_wherever_it_begins(secret: str, before: int) -> None:
    assert masking(secret)("." * before + secret + "~") == "." * before + "***~"


def test_secrets_that_overlap_are_masked_together() -> None:
    assert masking("abcd", "abcdefgh")("x abcdefgh y") == "x *** y"
    assert masking("abcdef", "defghi")("x abcdefghi y") == "x *** y"
    assert masking("abcd", "efgh")("abcdefgh") == "******"


@pytest.mark.parametrize("text", ["", "a", "abc", "abce", "no secret", "abc\ud800", "é" * 9])
def test_other_texts_are_left_as_they_are(text: str) -> None:
    assert Mask()(text) == masking("abcd", "hunter22")(text) == text


@pytest.mark.parametrize("secret", ["", "a", "abc", "   ab   ", "\x1d" * 20])
def test_what_is_short_would_mask_half_of_every_sentence(secret: str) -> None:
    assert masking(secret)(f"x {secret} y") == f"x {secret} y"


@pytest.mark.parametrize("secret", ["hunter22", ODD, "\ud800\udfff~~", "<&>'\t", "é" * 20])
def test_a_secret_in_json_is_masked(secret: str) -> None:
    found = masking(secret)
    assert found(json.dumps({"password": secret})) == '{"password": "***"}'
    assert found(json.dumps([secret], ensure_ascii=False)) == '["***"]'


@pytest.mark.parametrize("secret", ["hunter22", "pa/ss wörd?&", "a+b c%d", "it's (*)!"])
def test_a_secret_in_a_url_is_masked(secret: str) -> None:
    found = masking(secret)
    for quoted in (
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(secret, safe="!'()*"),
    ):
        assert found(f"http://h/?p={quoted}&x=1") == "http://h/?p=***&x=1"
    kept = quote(secret, safe="!#$%&'()*+,/:;=?@[]~")
    assert found(f"http://h/?p={kept}~&x=1") == "http://h/?p=***~&x=1"
    small = re.sub("%..", lambda found: found[0].lower(), quote(secret))
    assert found(small) == "***"


@pytest.mark.parametrize("secret", ["short", "hunter22", ">>>???>>>???", "é" * 20])
@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_within_base64_is_masked(secret: str, before: int, encode: object) -> None:
    assert callable(encode)
    raw = secret.encode()
    encoded = encode(b"user:x"[:before] + raw + b"\nand more").decode()
    shown = masking(secret)(encoded)
    assert shown.count("***") == 1
    # What is left of it is no more than the bits in two characters, with those of others.
    left = "".join(shown.split("***"))
    assert len(left) * 6 <= 8 * (before + 9) + 2 * 6 + 12


def test_each_line_of_a_secret_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\n  TWlJRXBBSUJB\nend\n"
    found = masking(key)
    assert found("> MIIEpAIBAAKCAQEA <") == "> *** <"
    assert found("> TWlJRXBBSUJB <") == "> *** <"
    assert found("the end") == "the end"
    assert found(f"[{key}]") == "[***]"


def test_a_secret_is_found_without_the_space_around_it() -> None:
    assert masking("hunter22\n")("> hunter22 <") == "> *** <"


def test_of_a_very_long_secret_each_part_is_masked() -> None:
    letters = random.Random(1)  # noqa: S311 - no secret
    secret = "".join(letters.choice("abcdefgh") for _ in range(10_000))
    assert masking(secret)(f"<{secret}>") == "<******>"


def lines(seed: int) -> Iterator[tuple[list[str], str]]:
    """Few letters, so that secrets overlap, repeat and nearly match."""
    letters = random.Random(seed)  # noqa: S311 - no secret

    def text(least: int, most: int) -> str:
        return "".join(letters.choice("ab") for _ in range(letters.randint(least, most)))

    for _ in range(200):
        secrets = [text(4, 30) for _ in range(letters.randint(1, 5))]
        yield secrets, "".join(letters.choice([*secrets, text(1, 20)]) for _ in range(8))


@pytest.mark.parametrize("seed", range(5))
def test_what_is_masked_is_what_is_there(seed: int) -> None:
    for secrets, line in lines(seed):
        hidden = [False] * len(line)
        for secret in secrets:
            for start in range(len(line)):
                if line.startswith(secret, start):
                    hidden[start : start + len(secret)] = [True] * len(secret)
        shown = masking(*secrets)(line)
        kept = "".join(
            letter for letter, is_hidden in zip(line, hidden, strict=True) if not is_hidden
        )
        assert shown.replace("***", "") == kept


@pytest.mark.parametrize("seed", range(5))
def test_no_secret_begins_in_a_piece_and_ends_behind_it(seed: int) -> None:
    letters = random.Random(seed)  # noqa: S311 - no secret
    secrets = ["".join(letters.choice("abc") for _ in range(30)) for _ in range(20)]
    found = masking(*secrets)
    for _ in range(100):
        line = "".join(letters.choice([*secrets, "xx", "y"]) for _ in range(40))
        size = letters.randint(200, len(line))
        end = found.end_of_piece(line[:size].encode())
        assert 0 < end <= size
        assert found(line[:end]) + found(line[end:]) == found(line)


def test_a_line_without_a_secret_is_one_piece() -> None:
    assert Mask().end_of_piece(b"x" * 100) == 100


def test_a_piece_is_never_empty() -> None:
    assert masking("aaaa").end_of_piece(b"a" * 1000) > 900


class Counting(mask._Grams):
    """How many grams were compared with a text."""

    compared = 0

    def _compared(
        self, data: bytes, first: int, grams: memoryview[int]
    ) -> Iterator[tuple[int, int]]:
        found = {*self._grams}
        type(self).compared += sum(len(self._grams[gram]) for gram in grams if gram in found)
        return super()._compared(data, first, grams)


@pytest.mark.parametrize("many", [1, 1000])
def test_what_a_line_costs_does_not_grow_with_the_number_of_secrets(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All secrets begin alike, and so does the line: the worst that can be met."""
    monkeypatch.setattr(mask, "_Grams", Counting)
    monkeypatch.setattr(Counting, "compared", 0)
    secrets = [f"stack-deployment-{number:012}" for number in range(many)]
    found = masking(*secrets)
    line = "stack-deployment-none " * 10 + secrets[-1]
    assert found(line) == "stack-deployment-none " * 10 + "***"
    assert 0 < Counting.compared < 100


def test_a_secret_that_is_known_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = masking("hunter22")
    monkeypatch.setattr(mask, "spellings", None)
    found.add(["hunter22"])
    assert found("hunter22") == "***"

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from heat_config.cloud import trust
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.cloud.trust import Trust
from heat_config.settings import Settings


def test_the_operators_word_counts(settings: Settings) -> None:
    assert Trust.from_settings(settings) == Trust(None, insecure=False)
    given = settings._replace(ca_file="/ca.pem", insecure=True)
    assert Trust.from_settings(given) == Trust("/ca.pem", insecure=True)


def test_it_can_be_turned_off() -> None:
    assert Trust("/ca.pem", insecure=True).verify() is False


def test_the_systems_store_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent"))
    bundle = tmp_path / "bundle.crt"
    monkeypatch.setattr(trust, "BUNDLES", (str(tmp_path / "absent"), str(bundle)))
    assert Trust().verify() is True
    bundle.touch()
    assert Trust().verify() == str(bundle)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_that_is_unusable_must_be_mended_here(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CloudError, match=f"no certificates can be read of {path}, which") as raised:
        Trust(str(path)).verify()
    assert raised.value.outcome is Outcome.WRONG_HERE

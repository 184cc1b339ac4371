# SPDX-License-Identifier: Apache-2.0
"""The loop as a whole, on real files and the real script hook; no control plane."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config.run import loop as agent
from heat_config.settings import Settings
from heat_config.signals import retry
from tests.support.checkout import REPOSITORY
from tests.support.deployments import script, to
from tests.support.inbox import Inbox
from tests.support.serving import serving


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    server = Inbox()
    with serving(server):
        yield server


@pytest.fixture(autouse=True)
def hook_finds_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


def counting(path: Path) -> str:
    return f"#!/bin/sh\necho run >> {path}\necho hello"


def test_a_deployment_is_run_once_and_answered_once(
    deploy: Any, answer: Any, inbox: Inbox, tmp_path: Path
) -> None:
    item = script(counting(tmp_path / "runs"), inputs=to(inbox.url))
    assert deploy(item) == deploy(item) == 0
    assert (tmp_path / "runs").read_text() == "run\n"
    assert answer("c1") == inbox.messages[0]
    ((verb, path, kind, message),) = inbox.received
    assert (verb, kind) == ("PUT", "application/json")
    assert path.startswith("/v1/object?temp_url_sig=")
    assert message["deploy_stdout"] == "hello\n"


def test_without_a_verb_the_url_gets_a_post(deploy: Any, inbox: Inbox) -> None:
    deploy(script("true", inputs=[{"name": "deploy_signal_id", "value": inbox.url}]))
    assert inbox.received[0][0] == "POST"


def test_a_result_that_is_not_accepted_is_sent_by_a_later_run(
    deploy: Any, inbox: Inbox, tmp_path: Path
) -> None:
    inbox.answers = [503] * retry.TRIES
    item = script(counting(tmp_path / "runs"), inputs=to(inbox.url))
    assert deploy(item) == 0
    assert len(inbox.received) == retry.TRIES
    deploy(item)
    deploy(item)
    assert len(inbox.received) == retry.TRIES + 1
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_moments_trouble_is_tried_again_at_once(deploy: Any, inbox: Inbox) -> None:
    inbox.answers = [500, 429, 200]
    deploy(script("true", inputs=to(inbox.url)))
    assert len(inbox.received) == 3
    assert agent.deliver(_settings()) == 0
    assert len(inbox.received) == 3


def test_a_refusal_is_not_repeated_at_once_and_is_kept(
    deploy: Any, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox.answers = [404]
    deploy(script("true", inputs=to(inbox.url)))
    assert len(inbox.received) == 1
    log = capsys.readouterr().err
    assert "answered 404" in log
    assert "0123456789abcdef0123" not in log


def test_a_page_for_people_is_no_acceptance(deploy: Any, inbox: Inbox) -> None:
    inbox.page = b"<html>Please log in</html>"
    deploy(script("true", inputs=to(inbox.url)))
    inbox.page = b""
    assert agent.deliver(_settings()) == 0
    assert len(inbox.received) == retry.TRIES + 1


def test_a_control_plane_that_is_away_does_not_stop_the_server(
    deploy: Any, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    away = to("http://127.0.0.1:1/x?Signature=0123456789abcdef0123")
    status = deploy(script("true", inputs=away), script("echo two", config_id="c2"))
    assert status == 0
    assert answer("c2")["deploy_stdout"] == "two\n"
    assert "0123456789abcdef0123" not in capsys.readouterr().err
    assert agent.deliver(_settings()) == 1


def test_a_fault_of_a_transport_does_not_stop_the_others(
    deploy: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from heat_config.signals import url

    def broken(*_: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(url.SignedUrl, "send", broken)
    deploy(script("true", inputs=to("http://h/")), script("echo two", config_id="c2"))
    assert answer("c2")["deploy_stdout"] == "two\n"
    assert agent.deliver(_settings()) == 1


def test_one_bad_deployment_never_stops_the_others(
    deploy: Any, answer: Any, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [
        7,
        {"name": "no id", "inputs": to(inbox.url)},
        {**script("x"), "id": "../x"},
        {**script("x", config_id="c3"), "inputs": "text"},
    ]
    assert deploy(*bad, script("echo good", config_id="c9")) == 0
    assert answer("c9")["deploy_stdout"] == "good\n"
    (message,) = inbox.messages
    assert message["deploy_status_code"] == 1
    assert message["deploy_stderr"] == "the deployment has no id\n"
    errors = [line for line in capsys.readouterr().err.splitlines() if "[ERROR]" in line]
    assert len(errors) == len(bad)


def test_a_bad_deployment_is_answered_once(deploy: Any, inbox: Inbox) -> None:
    item = {"name": "no id", "inputs": to(inbox.url)}
    deploy(item)
    deploy(item)
    assert len(inbox.received) == 1


def test_a_group_without_a_hook_is_answered(deploy: Any, inbox: Inbox) -> None:
    deploy(script("x", group="cobbler", inputs=to(inbox.url)))
    (message,) = inbox.messages
    assert message["deploy_status_code"] == 127
    assert "no hook for group 'cobbler'" in message["deploy_stderr"]


def test_a_hook_whose_own_run_breaks_the_agent_is_answered(
    deploy: Any, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from heat_config import process

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(process, "run", broken)
    deploy(script("x", inputs=to(inbox.url)))
    assert "unexpected" in inbox.messages[0]["deploy_stderr"]


def test_a_run_that_was_cut_is_reported_and_not_repeated(
    deploy: Any, inbox: Inbox, tmp_path: Path, settings: Settings
) -> None:
    # The agent and the hook are killed while the script runs, as by a reboot.
    text = f"#!/bin/sh\necho run >> {tmp_path / 'runs'}\nkill -9 $AGENT_PID $PPID"
    item = script(text, inputs=to(inbox.url))
    Path(settings.config_file).write_text(json.dumps([item]))
    program = "import os, sys; os.environ['AGENT_PID'] = str(os.getpid()); "
    program += "from heat_config.cli import main; main(['run'])"
    cut = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert cut.returncode == -9
    assert inbox.received == []
    deploy(item)
    deploy(item)
    (message,) = inbox.messages
    assert message["deploy_status_code"] == 1
    assert "interrupted" in message["deploy_stderr"]
    assert (tmp_path / "runs").read_text() == "run\n"


def test_an_empty_note_owes_no_signal(deploy: Any, inbox: Inbox, settings: Settings) -> None:
    Path(settings.deployed).mkdir()
    Path(settings.deployed, "c1.json").touch()
    deploy(script("exit 1", inputs=to(inbox.url)))
    assert inbox.received == []


def test_a_full_disk_runs_nothing_and_is_tried_again(
    deploy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from heat_config import files

    item = script(counting(tmp_path / "runs"))
    with monkeypatch.context() as patch:

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(files, "write_durably", full)
        assert deploy(item) == 0
    assert not (tmp_path / "runs").exists()
    deploy(item)
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_secret_is_in_no_log_and_no_result(
    deploy: Any, inbox: Inbox, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = {"deploy_password": "hunter22-secret", "deploy_user_id": "f00dbabe-user"}
    values = [{"name": name, "value": value} for name, value in secrets.items()]
    text = '#!/bin/sh\necho "$deploy_password $deploy_signal_id"; echo $deploy_user_id >&2; env'
    options = {"credentials": True}
    deploy(script(text, inputs=[*values, *to(inbox.url)], options=options))
    seen = capfd.readouterr().err + json.dumps(inbox.messages)
    assert "***" in seen
    seen += Path(settings.logs, "c1.log").read_text()
    for secret in (*secrets.values(), "0123456789abcdef0123"):
        assert secret not in seen


def test_the_file_of_deployments_becomes_private(deploy: Any, settings: Settings) -> None:
    Path(settings.config_file).write_text("[]")
    Path(settings.config_file).chmod(0o644)
    deploy()
    assert Path(settings.config_file).stat().st_mode & 0o777 == 0o600


def test_a_missing_file_of_deployments_is_an_error(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert agent.run(settings) == 1
    assert settings.config_file in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "{}", '"x"'])
def test_a_file_that_is_no_list_gives_one_line(
    settings: Settings, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(settings.config_file).write_text(text)
    assert agent.run(settings) == 0
    errors = [line for line in capsys.readouterr().err.splitlines() if "[ERROR]" in line]
    assert len(errors) == 1
    assert settings.config_file in errors[0]


def test_a_program_may_send_in_the_agents_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    program = tmp_path / "notify"
    program.write_text(f'#!/bin/sh\ncat > {tmp_path}/sent; echo "$1" > {tmp_path}/config\n')
    program.chmod(0o755)
    monkeypatch.setenv("HEAT_CONFIG_NOTIFY", str(program))
    Path(settings.config_file).write_text(
        json.dumps([script("echo hi", inputs=to("http://127.0.0.1:1/"))])
    )
    assert agent.run(_settings()) == 0
    assert json.loads((tmp_path / "sent").read_text())["deploy_stdout"] == "hi\n"
    assert (tmp_path / "config").read_text().strip().endswith("c1.json")
    assert list(Path(settings.outbox).iterdir()) == []


def test_nothing_to_do_writes_nothing_and_imports_nothing_heavy(
    deploy: Any, settings: Settings
) -> None:
    deploy(script("true"), script("true", config_id="c2"))
    before = _listing(Path(settings.deployed).parent)
    program = (
        "import sys; from heat_config.cli import main; status = main(['run']); "
        "heavy = {'requests', 'keystoneauth1', 'subprocess', 'logging', 'pathlib', 'hashlib'}; "
        "print(sorted(heavy & set(sys.modules))); sys.exit(status)"
    )
    quick = subprocess.run(
        [sys.executable, "-S", "-c", program], check=True, capture_output=True, text=True
    )
    assert quick.stdout == "[]\n"
    assert "2 deployments, nothing to do" in quick.stderr
    assert _listing(Path(settings.deployed).parent) == before


def _listing(folder: Path) -> list[tuple[str, int]]:
    paths = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return sorted((str(path), path.stat().st_mtime_ns) for path in paths)


def _settings() -> Settings:
    from heat_config import settings

    return settings.load()


def test_a_journal_that_has_gone_away_does_not_stop_a_run(settings: Settings) -> None:
    text = "#!/bin/sh\nfor line in $(seq 200); do echo $line; done"
    Path(settings.config_file).write_text(json.dumps([script(text)]))
    reading, writing = os.pipe()
    os.close(reading)
    program = "import sys; from heat_config.cli import main; sys.exit(main(['run']))"
    subprocess.run([sys.executable, "-c", program], stderr=writing, check=False)
    os.close(writing)
    answer = json.loads(Path(settings.deployed, "c1.notify.json").read_text())
    assert answer["deploy_status_code"] == 0
    assert answer["deploy_stdout"].endswith("200\n")


def test_why_a_run_has_failed_is_the_output_that_is_declared_for_it(
    deploy: Any, answer: Any
) -> None:
    """Heat shows that output, and nothing else of a result, in the stack's status reason."""
    outputs = [{"name": "why", "error_output": True}, {"name": "other"}]
    deploy(
        script("echo it broke >&2; exit 3", outputs=outputs),
        script("echo a warning >&2", config_id="c2", outputs=outputs),
        script("", config_id="c3", group="nonesuch", outputs=outputs),
    )
    assert answer("c1")["why"] == "it broke"
    assert "other" not in answer("c1")
    assert "why" not in answer("c2")
    assert answer("c3")["why"].startswith("no hook for group 'nonesuch'")

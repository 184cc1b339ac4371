# SPDX-License-Identifier: Apache-2.0
"""The loop as a whole, on real files and the real script hook; no control plane."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from heat_config import deployment, files, process
from heat_config.cloud.errors import Outcome
from heat_config.delivery import policy
from heat_config.delivery.entry import Stage
from heat_config.delivery.outbox import Outbox
from heat_config.result import Result
from heat_config.run import loop
from heat_config.run.records import entry_of
from heat_config.run.store import Begun, Store
from heat_config.settings import Settings
from heat_config.signals import url
from tests.support.clock import Clock
from tests.support.deployments import inputs, script, to
from tests.support.far_end import FarEnd, queue_of
from tests.support.inbox import Inbox

COUNT = "echo run >> $RUNS"


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
    deploy: Any, inbox: Inbox, tmp_path: Path, clock: Clock
) -> None:
    inbox.answers = [503] * policy.ROUND
    item = script(counting(tmp_path / "runs"), inputs=to(inbox.url))
    assert deploy(item) == 0
    assert deploy(item) == 0
    assert len(inbox.received) == policy.ROUND
    clock.now += 60
    deploy(item)
    deploy(item)
    assert len(inbox.received) == policy.ROUND + 1
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_moments_trouble_is_tried_again_at_once(
    deploy: Any, inbox: Inbox, settings: Settings
) -> None:
    inbox.answers = [500, 429, 200]
    deploy(script("true", inputs=to(inbox.url)))
    assert len(inbox.received) == 3
    assert loop.deliver(settings) == 0
    assert len(inbox.received) == 3


def test_a_refusal_is_not_repeated_at_once_and_is_kept(
    deploy: Any, inbox: Inbox, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox.answers = [404]
    deploy(script("true", inputs=to(inbox.url)))
    assert len(inbox.received) == 1
    log = capsys.readouterr().err
    assert "answered 404" in log
    assert Outbox(settings).ids() == ["c1"]
    assert "0123456789abcdef0123" not in log


def test_a_page_for_people_is_no_acceptance(deploy: Any, inbox: Inbox, settings: Settings) -> None:
    inbox.page = b"<html>Please log in</html>"
    deploy(script("true", inputs=to(inbox.url)))
    inbox.page = b""
    assert loop.deliver(settings) == 0
    assert len(inbox.received) == policy.ROUND + 1


def test_a_control_plane_that_is_away_does_not_stop_the_server(
    deploy: Any, answer: Any, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    away = to("http://127.0.0.1:1/x?Signature=0123456789abcdef0123")
    status = deploy(script("true", inputs=away), script("echo two", config_id="c2"))
    assert status == 0
    assert answer("c2")["deploy_stdout"] == "two\n"
    assert "0123456789abcdef0123" not in capsys.readouterr().err
    assert loop.deliver(settings) == 1


def test_a_fault_of_a_transport_does_not_stop_the_others(
    deploy: Any, answer: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(url.SignedUrl, "post", broken)
    deploy(script("true", inputs=to("http://h/")), script("echo two", config_id="c2"))
    assert answer("c2")["deploy_stdout"] == "two\n"
    assert loop.deliver(settings) == 1


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


def test_after_an_empty_note_nobody_waits(deploy: Any, inbox: Inbox, settings: Settings) -> None:
    Path(settings.deployed).mkdir()
    Path(settings.deployed, "c1.json").touch()
    deploy(script("exit 1", inputs=to(inbox.url)))
    assert inbox.received == []


def test_a_full_disk_runs_nothing_and_is_tried_again(
    deploy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = script(counting(tmp_path / "runs"))
    with monkeypatch.context() as patch:

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(files, "write_durably", full)
        assert deploy(item) == 2
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


def test_an_input_that_an_option_names_as_secret_is_masked_in_every_spelling(
    deploy: Any, answer: Any, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    text = '#!/bin/sh\necho "$key" | base64; echo "$key" >&2; echo "$key" >$heat_outputs_path.o'
    key = {"name": "key", "value": 'let"me in'}
    item = script(text, inputs=[key], options={"secret_inputs": ["key"]}, outputs=[{"name": "o"}])
    deploy(item)
    assert answer("c1")["o"] == "***\n"
    seen = capfd.readouterr().err + Path(settings.logs, "c1.log").read_text()
    seen += Path(settings.deployed, "c1.notify.json").read_text()
    assert seen.count("***") >= 6
    for spelling in (key["value"], json.dumps(key["value"])[1:-1], "bGV0Im1lIGlu"):
        assert spelling not in seen


@pytest.mark.parametrize("wrong", [{"key": True}, 5, ["key", 5]])
def test_secret_inputs_that_cannot_be_read_are_a_failure(
    deploy: Any, answer: Any, wrong: object
) -> None:
    deploy(script("echo x", options={"secret_inputs": wrong}))
    assert answer("c1")["deploy_status_code"] == 1
    assert "secret_inputs" in answer("c1")["deploy_stderr"]


def test_the_file_of_deployments_becomes_private(deploy: Any, settings: Settings) -> None:
    Path(settings.config_file).write_text("[]")
    Path(settings.config_file).chmod(0o644)
    deploy()
    assert Path(settings.config_file).stat().st_mode & 0o777 == 0o600


def test_a_missing_file_of_deployments_is_an_error(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loop.run(settings) == 1
    assert settings.config_file in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "{}", '"x"'])
def test_a_file_that_is_no_list_gives_one_line(
    settings: Settings, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(settings.config_file).write_text(text)
    assert loop.run(settings) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if "[ERROR]" in line]
    assert len(errors) == 1
    assert settings.config_file in errors[0]


def test_a_program_may_send_in_the_agents_place(tmp_path: Path, settings: Settings) -> None:
    program = tmp_path / "notify"
    program.write_text(f'#!/bin/sh\ncat > {tmp_path}/sent; echo "$1" > {tmp_path}/config\n')
    program.chmod(0o755)
    Path(settings.config_file).write_text(
        json.dumps([script("echo hi", inputs=to("http://127.0.0.1:1/"))])
    )
    assert loop.run(settings._replace(notify=str(program))) == 0
    assert json.loads((tmp_path / "sent").read_text())["deploy_stdout"] == "hi\n"
    assert (tmp_path / "config").read_text().strip().endswith("c1.json")
    assert Outbox(settings).ids() == []


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


def test_when_it_ran_is_the_output_that_is_declared_for_it(deploy: Any, answer: Any) -> None:
    """The timeline of a stack shows it; the hook, which has every output, has it empty."""
    outputs = [{"name": "deploy_times"}, {"name": "other"}]
    before = time.time()
    deploy(script("sleep 0.1; exit 3", outputs=outputs), script("", config_id="c2"))
    times = answer("c1")["deploy_times"]
    assert before - 0.001 < times["begun"] <= times["ended"] - 0.1 < time.time()
    assert "deploy_times" not in answer("c2")


class TestWhatHeatAsksFor:
    def test_is_read_when_no_other_run_goes_on(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run that has waited for another one must not go by what was there before."""
        path = Path(settings.config_file)
        path.write_text(json.dumps([script("", config_id="before", group="none")]))
        locked = files.locked

        @contextmanager
        def after_a_while(folder: str) -> Iterator[None]:
            path.write_text(json.dumps([script("", config_id="after", group="none")]))
            with locked(folder):
                yield

        monkeypatch.setattr(files, "locked", after_a_while)
        assert loop.run(settings) == 0
        assert Store(settings).has_begun("after")
        assert not Store(settings).has_begun("before")

    def test_twice_with_one_id_is_run_once_and_answered_at_both_addresses(
        self, deploy: Any, hook: Callable[[str], None], runs: Callable[[], int], inbox: Inbox
    ) -> None:
        hook(COUNT)
        items = [
            script(text, group="sh", inputs=to(f"{inbox.url}&of={number}"))
            for number, text in enumerate(("x", "y"))
        ]
        for _ in range(2):
            assert deploy(*items) == 0
        assert runs() == 1
        first, second = inbox.received
        assert (first[1][-5:], first[3]["deploy_status_code"]) == ("&of=0", 0)
        assert (second[1][-5:], second[3]["deploy_status_code"]) == ("&of=1", 1)
        assert second[3]["deploy_stderr"] == "the id 'c1' is used by two deployments\n"

    def test_may_change_under_a_run_that_then_runs_nothing_of_before(
        self,
        deploy: Any,
        settings: Settings,
        far: FarEnd,
        hook: Callable[[str], None],
        runs: Callable[[], int],
        tmp_path: Path,
    ) -> None:
        """heat-config-resume's run holds up no metadata, and Heat waits for what that says."""
        first, second, newer = (
            script("x", config_id=each, group="sh", inputs=inputs(**queue_of(queue)))
            for each, queue in (("c1", "q1"), ("c2", "q2"), ("c3", "q2"))
        )
        (tmp_path / "newer").write_text(json.dumps([first, newer]))
        hook(f"{COUNT}; cp {tmp_path}/newer new; mv new {settings.config_file}")
        assert deploy(first, second) == 0
        assert runs() == 1
        assert far.acts == [("post", "c1")]
        assert loop.run(settings) == 0
        assert runs() == 2
        assert far.acts == [("post", "c1"), ("post", "c3")]

    def test_may_replace_what_is_running_and_its_result_is_not_sent(
        self, deploy: Any, settings: Settings, far: FarEnd, hook: Callable[[str], None]
    ) -> None:
        old, new = (
            script("x", config_id=each, group="sh", inputs=inputs(**queue_of("q")))
            for each in ("c1", "c2")
        )
        hook(f"echo '{json.dumps([new])}' > {settings.config_file}")
        assert deploy(old) == 0
        assert far.acts == []
        assert Outbox(settings).abandoned_ids() == ["c1"]
        assert Store(settings).has_ended("c1")
        assert loop.run(settings) == 0
        assert far.acts == [("post", "c2")]

    def test_holds_while_what_comes_under_a_run_is_broken(
        self, deploy: Any, settings: Settings, hook: Callable[[str], None], runs: Callable[[], int]
    ) -> None:
        hook(f"{COUNT}; echo [ > {settings.config_file}")
        assert deploy(*(script("x", config_id=each, group="sh") for each in ("c1", "c2"))) == 0
        assert runs() == 2

    def test_holds_although_what_was_left_over_cannot_be_removed(
        self, deploy: Any, settings: Settings, far: FarEnd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a file system that has become read-only: what is pending must not go to Heat."""
        old, new = (script("x", config_id=each, inputs=inputs(**queue_of("q"))) for each in "ab")
        entry = entry_of(deployment.read(old), Result(0), settings, forced=False)
        assert entry
        with Outbox(settings).locked() as box:
            box.put(entry)

        def read_only(folder: Path) -> None:
            raise OSError(30, "Read-only file system", str(folder))

        monkeypatch.setattr(files, "remove_leftovers", read_only)
        assert deploy(new) == 0
        assert far.acts == [("post", "b")]
        assert Outbox(settings).abandoned_ids() == ["a"]

    @pytest.mark.parametrize("signal_id", ["http://[/x", ["http://h/"], {"a": 1}, 7, "no url"])
    def test_has_an_address_that_is_none_and_the_next_one_is_run(
        self, deploy: Any, answer: Any, settings: Settings, signal_id: object
    ) -> None:
        none = inputs(deploy_signal_id=signal_id)
        assert deploy(script("", group="none", inputs=none), script("", config_id="c2")) == 0
        assert answer("c1")["deploy_status_code"] == 127
        assert answer("c2")["deploy_status_code"] == 0
        assert Outbox(settings).abandoned_ids() == ["c1"]


class TestForced:
    @pytest.fixture(autouse=True)
    def counted(self, hook: Callable[[str], None]) -> None:
        hook(COUNT)

    @pytest.fixture
    def item(self) -> dict[str, Any]:
        return script("x", group="sh", inputs=inputs(**queue_of("c1")))

    def test_a_config_is_run_again_and_heat_alone_is_notified(
        self,
        deploy: Any,
        settings: Settings,
        far: FarEnd,
        item: dict[str, Any],
        runs: Callable[[], int],
    ) -> None:
        """Nobody knows whether Heat waits: what is posted would be the next update's answer."""
        deploy(item, script("x", config_id="c2", group="sh"))
        assert [name for name, _ in far.acts] == ["post"]
        assert loop.run(settings, force="c1") == 0
        assert runs() == 3
        assert [name for name, _ in far.acts] == ["post", "notify", "clean"]
        assert loop.run(settings) == 0
        assert runs() == 3

    def test_what_was_pending_or_abandoned_of_an_earlier_run_is_forgotten(
        self, deploy: Any, settings: Settings, far: FarEnd, item: dict[str, Any]
    ) -> None:
        far.fails("post", Outcome.UNREACHABLE)
        deploy(item)
        with Outbox(settings).locked() as box:
            entry = box.get("c1")
            assert entry
            box.put_aside(entry._replace(stage=Stage.ABANDONED))
            box.put(entry)
        assert loop.run(settings, force="c1") == 0
        assert len(far.notified) == 1
        assert Outbox(settings).abandoned_ids() == []
        assert far.messages == []

    def test_a_config_that_is_not_asked_for_is_an_error(
        self, deploy: Any, settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        deploy(script("", group="none"))
        assert loop.run(settings, force="c7") == 1
        assert "c7 is not among the deployments" in capsys.readouterr().err

    def test_a_run_that_was_cut_is_never_answered_on_the_queue(
        self,
        deploy: Any,
        settings: Settings,
        far: FarEnd,
        item: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        answer: Any,
    ) -> None:
        """The deployment is COMPLETE, and its next update would take the failure."""
        deploy(item)
        far.messages.clear()  # Heat takes it
        with monkeypatch.context() as patch:
            patch.setattr(process, "run", _cut)
            with pytest.raises(KeyboardInterrupt):
                loop.run(settings, force="c1")
        assert loop.run(settings) == 0
        assert "the run was interrupted" in answer("c1")["deploy_stderr"]
        assert far.messages == []
        assert [name for name, _ in far.acts] == ["post", "notify", "clean"]

    def test_a_run_that_was_cut_and_is_repeated_stays_forced(
        self,
        deploy: Any,
        settings: Settings,
        far: FarEnd,
        item: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        runs: Callable[[], int],
    ) -> None:
        item["options"] = {"interrupted": "rerun"}
        deploy(item)
        with monkeypatch.context() as patch:
            patch.setattr(process, "run", _cut)
            with pytest.raises(KeyboardInterrupt):
                loop.run(settings, force="c1")
        assert loop.run(settings) == 0
        assert runs() == 2
        assert [name for name, _ in far.acts] == ["post", "notify", "clean"]

    @pytest.mark.parametrize("left", ["result", "pending", "both"])
    def test_who_removes_the_note_of_a_run_has_it_run_again(
        self,
        deploy: Any,
        settings: Settings,
        far: FarEnd,
        item: dict[str, Any],
        runs: Callable[[], int],
        left: str,
    ) -> None:
        """As heat-agents' log tells operators; whether Heat waits nobody knows."""
        if left != "result":
            far.fails("post", Outcome.UNREACHABLE)
        deploy(item)
        far.acts.clear()
        store = Store(settings)
        store.config_path("c1").unlink()
        if left == "pending":
            store.result_path("c1").unlink()
        assert loop.run(settings) == loop.run(settings) == 0
        assert runs() == 2
        assert [name for name, _ in far.acts] == ["notify", "clean"]
        assert store.has_ended("c1")

    def test_who_removes_both_files_of_a_delivered_run_has_it_run_as_a_new_one(
        self, deploy: Any, settings: Settings, far: FarEnd, item: dict[str, Any]
    ) -> None:
        deploy(item)
        for path in (Store(settings).config_path("c1"), Store(settings).result_path("c1")):
            path.unlink()
        assert loop.run(settings) == 0
        assert [name for name, _ in far.acts] == ["post", "post"]


def _cut(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


class TestTheTimer:
    @pytest.mark.parametrize("options", [{}, {"interrupted": "rerun"}], ids=str)
    def test_may_deliver_while_another_hook_runs_what_a_power_cut_has_left(
        self,
        deploy: Any,
        settings: Settings,
        hook: Callable[[str], None],
        runs: Callable[[], int],
        inbox: Inbox,
        options: dict[str, Any],
    ) -> None:
        """It came between the outbox and the result for people: c1 has no result yet."""
        cut = script("x", group="sh", inputs=to(inbox.url), options=options)
        hook(COUNT)
        deploy(cut)
        with Outbox(settings).locked() as box:
            store = Store(settings)
            entry = entry_of(deployment.read(cut), store.result("c1"), settings, forced=False)
            assert entry
            box.put(entry)
            store.result_path("c1").unlink()
        inbox.received.clear()
        code = "import sys; from heat_config.cli import main; sys.exit(main(['deliver']))"
        # The long hook, which is not over before the timer has delivered c1.
        hook(f'{sys.executable} -c "{code}"; {COUNT}')
        assert deploy(script("x", config_id="c2", group="sh"), cut) == 0
        assert len(inbox.messages) == 1
        assert inbox.messages[0]["deploy_status_code"] == 0
        assert runs() == 2

    def test_says_whether_something_is_left(
        self, settings: Settings, capsys: pytest.CaptureFixture[str], clock: Clock
    ) -> None:
        assert loop.deliver(settings, due_only=True) == 0
        item = deployment.read(script("true", inputs=to("http://127.0.0.1:1/")))
        entry = entry_of(item, Result(0), settings, forced=False)
        assert entry
        with Outbox(settings).locked() as box:
            box.put(entry._replace(due=clock.now + 0.1))
        assert loop.deliver(settings, due_only=True) == 1
        assert capsys.readouterr().err == ""

    def test_puts_aside_what_heat_has_replaced(self, settings: Settings, far: FarEnd) -> None:
        old, new = (script("x", config_id=each, inputs=inputs(**queue_of("q"))) for each in "ab")
        entry = entry_of(deployment.read(old), Result(0), settings, forced=False)
        assert entry
        with Outbox(settings).locked() as box:
            box.put(entry)
        Path(settings.config_file).write_text(json.dumps([new]))
        assert loop.deliver(settings, due_only=True) == 0
        assert far.acts == []
        assert Outbox(settings).abandoned_ids() == ["a"]


def test_many_deployments_that_are_done_are_not_looked_at_more_than_once(
    deploy: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [script("", config_id=f"c{number}", group="none") for number in range(50)]
    assert deploy(*items) == 0
    asked: list[str] = []
    has_ended = Store.has_ended

    def counted(self: Store, config_id: str) -> bool:
        asked.append(config_id)
        return has_ended(self, config_id)

    monkeypatch.setattr(Store, "has_ended", counted)
    assert loop.run(settings) == 0
    assert len(asked) <= 2 * len(items)


def test_an_entry_of_a_newer_agent_is_left_to_it(
    settings: Settings, deploy: Any, hook: Callable[[str], None], runs: Callable[[], int]
) -> None:
    """After a downgrade between outbox and result: the config is neither run nor answered."""
    hook(COUNT)
    item = script("x", group="sh", inputs=to("http://127.0.0.1:1/"))
    Store(settings).begin(deployment.read(item), Begun())
    path = Path(settings.outbox, "c1.json")
    Outbox(settings)
    path.write_text('{"version": 99}')
    assert deploy(item, script("x", config_id="c2", group="sh")) == 2
    assert runs() == 1
    assert path.read_text() == '{"version": 99}'

# SPDX-License-Identifier: Apache-2.0
"""The image that disk-image-create makes with the elements, booted."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import tarfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from heat_config import signals
from heat_config.delivery.entry import Entry, Stage, as_dict
from heat_config.events import Event
from lab import Lab
from lab.image import build_tar, unpack
from lab.server import BOOT_CONFIG, File, Server
from lab.stack import Heat, Stack, wait_for
from lab.wire import Wire
from tests.support.checkout import ELEMENTS, REPOSITORY
from tests.support.template import template

VENV = "opt/stack/venvs/heat-config"
KNOWN = {event.value for event in Event}

SCRIPT = """#!/bin/bash
echo "password: $deploy_password"
echo "user: $deploy_user_id" >&2
echo "$LANG $(id -u)" > $heat_outputs_path.environment
"""


@pytest.fixture(scope="session")
def root() -> Path:
    return unpack(build_tar())


@pytest.fixture(scope="session")
def stack(heat: Heat) -> Iterator[Stack]:
    wanted = {"config": SCRIPT, "outputs": [{"name": "environment"}]}
    made = template(
        server_transport="ZAQAR_MESSAGE",
        signal_transport="ZAQAR_SIGNAL",
        deployments={"tell": wanted, "broken": {"config": "#!/bin/sh\nexit 3"}},
    )
    made["resources"]["tell_config"]["properties"]["options"] = {"credentials": True}
    # Else the failure could come first, and Heat would look for no other result.
    made["resources"]["broken_deployment"]["depends_on"] = "tell_deployment"
    created = heat.create("test-image", made)
    yield created
    created.delete()


@pytest.fixture(scope="session")
def server(root: Path, stack: Stack) -> Iterator[Server]:
    """A server that has found its configuration as a Nova server does."""
    data = {"deployments": [], "os-collect-config": stack.wait_for_server()}
    found = File("/var/lib/heat-cfntools/cfn-init-data", json.dumps(data))
    with Server(root, files=[BOOT_CONFIG, found]) as booted:
        yield booted


def test_the_booted_image_runs_what_heat_asks_for(stack: Stack, server: Server) -> None:
    assert stack.wait("CREATE") == "FAILED"
    assert "non-zero status code: 3" in stack.reason
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    assert stack.output("tell.environment").split()[1] == "0"
    assert stack.output("broken.deploy_status_code") == 3


@pytest.mark.usefixtures("stack")
def test_the_journal_shows_a_change_in_a_handful_of_lines_and_trouble_alone(server: Server) -> None:
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    told = entries(server, "HEAT_DEPLOYMENT_NAME=tell")
    (deployment,) = {entry["HEAT_DEPLOYMENT_ID"] for entry in told}
    lines = entries(server, "--priority=info", f"HEAT_DEPLOYMENT_ID={deployment}")
    assert events_of(lines)[:3] == [Event.BEGUN, Event.DONE, Event.DELIVERED]
    assert Event.OUTPUT in events_of(told)

    # From the boot to the second result; what other tests do to the service comes after it.
    said = [it for it in entries(server, "--unit=os-collect-config") if it["_PID"] != "1"]
    last = [n for n, event in enumerate(events_of(said)) if event is Event.DELIVERED][1]
    change = [it for it in said[: last + 1] if int(it["PRIORITY"]) <= 6]
    assert events_of(change)[-8:] == [
        *(Event.COLLECTED, Event.BEGUN, Event.DONE, Event.DELIVERED),
        *(Event.COLLECTED, Event.BEGUN, Event.FAILED, Event.DELIVERED),
    ]
    assert len(change) <= 8 + 3  # the first configuration, and that the service is started anew
    (trouble,) = (it for it in change if int(it["PRIORITY"]) <= 4)
    assert trouble["MESSAGE_ID"] == Event.FAILED.value
    assert trouble["HEAT_DEPLOYMENT_NAME"] == "broken"
    assert trouble["HEAT_STATUS_CODE"] == "3"


def test_no_secret_is_where_others_can_read_it(lab: Lab, stack: Stack, server: Server) -> None:
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    secrets = secrets_of(server)
    assert len(secrets) >= 5
    journal = server.journal()
    assert "password: ***" in journal
    assert [secret for secret in secrets if secret in journal] == []

    # What the user nobody can read, wherever it is.
    search = ["grep", "-rlsF", "-f", "-", "--exclude-dir=proc", "--exclude-dir=sys", "/"]
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *search]
    found = server.run(nobody, text_input="\n".join(secrets), check=False, timeout=300)
    assert found.stdout == ""
    # The search itself works: root finds them.
    where = server.run([*search[:-1], "/var/lib"], text_input="\n".join(secrets)).stdout
    assert "/var/lib/heat-config/deployed/" in where

    commands = server.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]).stdout
    assert [secret for secret in secrets if secret in commands] == []
    for result in ("deploy_stdout", "deploy_stderr"):
        assert "***" in stack.output(f"tell.{result}")
    logs = "".join(path.read_text(errors="replace") for path in lab.logs.values())
    passwords = [secret for secret in secrets if len(secret) == 32 and not secret.isalnum()]
    assert [secret for secret in passwords if secret in logs] == []


# As cloud-init calls it, with its umask.
HANDLE = """
exec(open("/dev/stdin").read())
handle_part(None, "__begin__", None, None)
with open("/var/lib/heat-cfntools/cfn-init-data") as file:
    data = file.read()
handle_part(None, "text/x-cfninitdata", "cfn-init-data", data)
"""


def test_what_heats_part_handler_writes_is_for_root_alone(
    lab: Lab, stack: Stack, server: Server
) -> None:
    assert stack.wait("CREATE") == "FAILED"
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    (source,) = lab.python.parents[1].glob("lib/*/site-packages/heat/cloudinit/part_handler.py")
    path = "/var/lib/cloud/data/cfn-init-data"

    def handle() -> None:
        argv = ["sh", "-c", 'umask 022; exec python3 -c "$0"', HANDLE]
        server.run(argv, text_input=source.read_text())

    def nobody_reads() -> bool:
        argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", path]
        return "password" in server.run(argv, check=False).stdout

    handle()
    assert "password" in server.read(path)
    assert not nobody_reads()
    # So after `cloud-init clean`.
    server.run(["rm", path])
    handle()
    assert nobody_reads()
    server.run(["systemctl", "restart", "os-collect-config"])
    assert not nobody_reads()


@pytest.mark.usefixtures("stack")
def test_the_service_is_enabled_and_comes_back(server: Server) -> None:
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    assert server.run(["systemctl", "is-enabled", "os-collect-config"]).stdout == "enabled\n"
    before = properties(server, "os-collect-config", "MainPID", "After")
    assert "network-online.target" in before["After"].split()

    server.run(["systemctl", "kill", "--kill-who=main", "--signal=KILL", "os-collect-config"])

    def back(it: Server) -> bool:
        shown = properties(it, "os-collect-config", "MainPID", "ActiveState")
        return shown["ActiveState"] == "active" and shown["MainPID"] != before["MainPID"]

    server.wait_for(back, what="the service to come back")


# Stopped, it hangs like a process in a call that never returns. It is given more than the 20 s
# after which it tells at the latest that it goes round.
HANG = """
folder=/run/systemd/system/os-collect-config.service.d
mkdir $folder
printf '[Service]\\nWatchdogSec=25\\nTimeoutAbortSec=1\\nRestartSec=1\\n' > $folder/soon.conf
systemctl daemon-reload
systemctl restart os-collect-config
systemctl kill --kill-who=main --signal=STOP os-collect-config
rm -r $folder
"""


@pytest.mark.usefixtures("stack")
def test_a_service_that_hangs_is_restarted(server: Server) -> None:
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    server.run(["sh", "-euc", HANG])

    def restarted(it: Server) -> bool:
        shown = properties(it, "os-collect-config", "NRestarts", "ActiveState")
        return shown == {"NRestarts": "1", "ActiveState": "active"}

    server.wait_for(restarted, timeout=90, what="the service to be restarted")
    server.run(["systemctl", "daemon-reload"])
    assert "os-collect-config.service: Watchdog timeout" in server.journal()


def test_the_programs_are_where_people_expect_them(server: Server) -> None:
    for program in ("os-collect-config", "os-refresh-config", "os-apply-config"):
        server.run([f"/usr/local/bin/{program}", "--version" if "refresh" not in program else "-h"])
    version = server.run(["heat-config", "--version"]).stdout
    assert version.startswith("heat-config ")
    assert server.run(["heat-config-notify"], check=False).returncode == 2
    mode = server.run(["stat", "-c", "%a", "/usr/libexec/heat-config/hooks/script"]).stdout
    assert mode == "755\n"
    # Where man looks for section 8 of what is in /usr/local/bin.
    assert server.read("/usr/local/share/man/man8/heat-config.8").startswith('.\\"')
    settings = server.run(["stat", "-c", "%a %U", "/etc/heat-config.conf"]).stdout
    assert settings == "644 root\n"
    assert "#HEAT_CONFIG_TIMEOUT=86400\n" in server.read("/etc/heat-config.conf")


@pytest.mark.usefixtures("stack")
def test_a_lost_folder_of_what_is_deployed_can_be_rebuilt(server: Server) -> None:
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    server.run(["rm", "-r", "/var/lib/heat-config/deployed"])
    server.run(["heat-config-rebuild-deployed"])
    server.run(["os-refresh-config"])
    listing = server.run(["find", "/var/lib/heat-config/deployed", "-type", "f", "-printf", "%s\n"])
    assert listing.stdout.split() == ["0", "0"]


def test_what_is_pending_has_a_timer_of_its_own(server: Server) -> None:
    assert server.run(["systemctl", "is-enabled", "heat-config-deliver.path"]).stdout == "enabled\n"
    shown = properties(
        server, "heat-config-deliver.timer", "TimersMonotonic", "RandomizedDelayUSec"
    )
    assert "OnActiveUSec=30s" in shown["TimersMonotonic"]
    assert shown["RandomizedDelayUSec"] == "10s"
    for folder in ("/var/lib/heat-config/outbox", "/var/log/heat-config"):
        assert server.run(["stat", "-c", "%a %U", folder]).stdout == "700 root\n"


@pytest.mark.usefixtures("stack")
def test_nothing_pending_is_nothing_run(server: Server) -> None:
    """What the run itself could send has at most started the timer, which then found nothing."""
    server.wait_for(lambda it: len(accepted(it)) == 2, what="two accepted results")
    quicken(server, DELIVER)
    server.wait_for(quiet, what="the end of the timer")
    assert "heat-config-deliver" not in server.run(["systemctl", "list-timers"]).stdout
    service = properties(server, "heat-config-deliver.service", "ExecMainStartTimestampMonotonic")
    assert service == {"ExecMainStartTimestampMonotonic": "0"}


DELIVER, RESUME = "heat-config-deliver", "heat-config-resume"

# What a drop-in makes of the half minute or the minute, so that nobody waits for it here.
SOON = "[Timer]\\nOnActiveSec=\\nOnActiveSec=1\\nRandomizedDelaySec=0\\n"
QUICKLY = f"""
folder=/run/systemd/system/$1.timer.d
mkdir $folder
printf '{SOON}' > $folder/soon.conf
systemctl daemon-reload
systemctl try-restart $1.timer
"""


def quicken(server: Server, units: str) -> None:
    """Let a timer wait for a second only."""
    server.run(["sh", "-ec", QUICKLY, "sh", units])


def quiet(server: Server, units: str = DELIVER) -> bool:
    """Whether nothing is left to do, and nothing runs or waits but the unit that watches."""
    folder = "/var/run/heat-config/unfinished" if units == RESUME else "/var/lib/heat-config/outbox"
    left = server.run(["ls", folder], check=False).stdout
    return not left and states(server, units) == ["active", "inactive", "inactive"]


def states(server: Server, units: str = DELIVER) -> list[str]:
    names = [f"{units}.{kind}" for kind in ("path", "timer", "service")]
    return server.run(["systemctl", "is-active", *names], check=False).stdout.split()


def properties(server: Server, unit: str, *names: str) -> dict[str, str]:
    shown = server.run(["systemctl", "show", unit, f"--property={','.join(names)}"]).stdout
    return dict(line.split("=", 1) for line in shown.splitlines())


class Pending(NamedTuple):
    """A server that does nothing but deliver what is pending, and the stack that waits for it."""

    server: Server
    stack: Stack
    unsent: dict[str, Any]
    """The deployment that is still to be run."""
    keystone: Wire
    """What it will be answered through: away at first."""


@pytest.fixture(scope="module")
def pending(root: Path, heat: Heat, lab: Lab) -> Iterator[Pending]:
    """Boot it with a result that has been pending since before."""
    stack = heat.create(
        "test-pending",
        template(
            server_transport="ZAQAR_MESSAGE",
            signal_transport="ZAQAR_SIGNAL",
            deployments={name: {"config": "#!/bin/sh\necho done"} for name in ("before", "now")},
        ),
    )

    items = wait_for("the deployments", lambda: asked_of(heat, stack, 2))
    values = {entry["name"]: entry["value"] for entry in items["before"]["inputs"]}
    message = {"deploy_stdout": "sent after the boot\n", "deploy_status_code": 0}
    entry = Entry(items["before"]["id"], signals.address(values), message, Stage.NEW)
    files = [
        BOOT_CONFIG,
        File(f"/var/lib/heat-config/outbox/{entry.id}.json", json.dumps(as_dict(entry))),
        File("/etc/heat-config.conf", "HEAT_CONFIG_FIRST_WAIT=0.01\n"),
    ]
    keystone = urlsplit(lab.auth_url)
    assert keystone.hostname and keystone.port
    with Wire((keystone.hostname, keystone.port)) as wire:
        wire.close_port()
        with Server(root, files=files) as booted:
            yield Pending(booted, stack, items["now"], wire)
    stack.delete()


def test_what_was_pending_before_a_reboot_is_sent_after_it(pending: Pending) -> None:
    server = pending.server
    server.wait_for(lambda it: states(it)[:2] == ["active", "active"], what="the timer")
    assert sent(server) == 0
    quicken(server, DELIVER)
    server.wait_for(quiet, what="the end of the timer")
    assert sent(server) == 1
    assert pending.stack.state == "CREATE_IN_PROGRESS"


def test_what_cannot_be_sent_at_once_is_sent_by_the_timer_alone(pending: Pending) -> None:
    server, item = pending.server, pending.unsent
    for each in item["inputs"]:
        if each["name"] == "deploy_auth_url":
            each["value"] = f"{pending.keystone.url}/v3/"
    run = "umask 077; cat > /root/asked; HEAT_SHELL_CONFIG=/root/asked exec heat-config run"
    ran = server.run(["sh", "-c", run], text_input=json.dumps([item])).stderr
    assert "is kept: post: unreachable: " in ran
    server.wait_for(
        lambda it: "is kept" in it.journal("heat-config-deliver"), what="the timer's first try"
    )
    failed = server.run(["systemctl", "--failed", "--plain", "--no-legend"]).stdout
    assert "heat-config" not in failed
    pending.keystone.open_port()
    assert pending.stack.wait("CREATE") == "COMPLETE", pending.stack.reason
    assert pending.stack.output("before.deploy_stdout") == "sent after the boot\n"
    assert pending.stack.output("now.deploy_stdout") == "done\n"
    server.wait_for(quiet, what="the end of the timer")
    assert "os-refresh-config" not in server.journal("os-collect-config")
    assert "heat-config[" in server.journal("heat-config-deliver")


# The disk becomes read-only while the first one runs.
BREAKS = """#!/bin/sh
echo run >> /root/runs
mount -o remount,bind,ro /var/lib/heat-config/outbox
echo "it breaks"
"""
GOES_ON = """#!/bin/sh
echo run >> /root/runs
echo "it goes on"
"""
DISK = "mount --bind /var/lib/heat-config/outbox /var/lib/heat-config/outbox"
UNFINISHED = "/var/run/heat-config/unfinished"


def test_what_the_disk_has_kept_from_being_done_is_done_without_new_metadata(
    pending: Pending, heat: Heat
) -> None:
    server = pending.server
    scripts = {"breaks": BREAKS, "goes_on": GOES_ON}
    stack = heat.create(
        "test-unfinished",
        template(
            server_transport="ZAQAR_MESSAGE",
            signal_transport="ZAQAR_SIGNAL",
            deployments={name: {"config": script} for name, script in scripts.items()},
        ),
    )
    try:
        items = wait_for("the deployments", lambda: asked_of(heat, stack, 2))
        asked = [items[name] for name in scripts]
        run = f"{DISK}; cat > /var/run/heat-config/heat-config; exec heat-config run"
        ran = server.run(["sh", "-ec", run], text_input=json.dumps(asked), check=False)
        assert ran.returncode == 2
        assert ran.stderr.count("unfinished, it will be tried again") == 2
        kept = server.run(["ls", UNFINISHED]).stdout.split()
        assert sorted(kept) == sorted(f"{item['id']}.json" for item in asked)
        shown = server.run(["heat-config", "status"], check=False)
        assert (shown.returncode, shown.stdout.count("taken up again")) == (2, 2)

        quicken(server, RESUME)
        server.wait_for(lambda it: resumed(it) >= 2, what="two runs in vain")
        failed = server.run(["systemctl", "--failed", "--plain", "--no-legend"]).stdout
        assert "heat-config" not in failed
        server.run(["mount", "-o", "remount,bind,rw", "/var/lib/heat-config/outbox"])
        assert stack.wait("CREATE") == "COMPLETE", stack.reason
        assert stack.output("breaks.deploy_stdout") == "it breaks\n"
        assert stack.output("goes_on.deploy_stdout") == "it goes on\n"
        assert server.read("/root/runs") == "run\nrun\n"
        server.wait_for(lambda it: quiet(it, RESUME), what="the end of the timer")
        assert server.run(["heat-config", "status"]).stdout.count("delivered") == 2
    finally:
        stack.delete()


def resumed(server: Server) -> int:
    """How often a run was started anew, and has left something unfinished."""
    return server.journal(RESUME).count("Finished")


def sent(server: Server) -> int:
    return server.journal("heat-config-deliver").count("was accepted by queue")


# In the agent's place: it says what it may do, and cannot do more than the service lets it.
PROBE = """#!/bin/sh
cat > /dev/null
grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status
for path in /etc /usr /root /var/log/heat-config /var/lib/heat-config /srv/outbox; do
    touch $path/probe 2> /dev/null && rm $path/probe && echo "writes to $path"
done
mount --bind /srv /mnt 2> /dev/null && echo mounts
ls /dev/kmsg /dev/mem 2> /dev/null
true
"""
ELSEWHERE = """
mkdir -m 700 /srv/outbox
printf 'HEAT_CONFIG_OUTBOX=/srv/outbox\\nHEAT_CONFIG_NOTIFY=/srv/probe\\n' > /etc/heat-config.conf
cat > /srv/probe
chmod 700 /srv/probe
systemctl daemon-reload
systemctl restart heat-config-deliver.path
"""


def drop_ins() -> dict[str, str]:
    """The files that the element's page says are needed, by their paths."""
    text = (ELEMENTS / "heat-config/README.rst").read_text()
    found = re.findall(r"^    # (/etc/systemd\S+)\n((?:    .*\n)+)", text, re.MULTILINE)
    return {path: textwrap.dedent(content) for path, content in found}


def test_the_service_that_delivers_can_do_no_more_than_that_wherever_its_folder_is(
    pending: Pending,
) -> None:
    server = pending.server
    files = drop_ins()
    assert len(files) == 2
    for path, content in files.items():
        write = 'mkdir -p "${1%/*}"; cat > "$1"'
        server.run(["sh", "-ec", write, "sh", path], text_input=content)
    server.run(["sh", "-ec", ELSEWHERE], text_input=PROBE)
    address = {"deploy_signal_id": "http://127.0.0.1:9/", "deploy_signal_verb": "PUT"}
    entry = Entry("probe", address, {"deploy_status_code": 0}, Stage.REPEATABLE)
    put = "umask 077; cat > /srv/outbox/probe.json"
    server.run(["sh", "-ec", put], text_input=json.dumps(as_dict(entry)))
    server.wait_for(
        lambda it: "was accepted by /srv/probe" in it.journal(DELIVER), what="the probe's end"
    )
    said = server.journal(DELIVER, output="cat")
    assert "CapEff:\t0000000000000000\n" in said
    assert "NoNewPrivs:\t1\n" in said
    assert "Seccomp:\t2\n" in said
    writes = re.findall("writes to (.*)", said)
    assert writes == ["/var/lib/heat-config", "/srv/outbox"]
    assert [word for word in ("mounts", "/dev/kmsg", "/dev/mem") if word in said] == []
    assert server.run(["ls", "/srv/outbox"]).stdout == ""


CUT = "#!/bin/sh\necho so far\nexec sleep 600"


def test_a_run_that_a_power_cut_has_ended_is_answered_after_the_boot(
    root: Path, heat: Heat, tmp_path: Path
) -> None:
    stack = heat.create(
        "test-reboot",
        template(
            server_transport="ZAQAR_MESSAGE",
            signal_transport="ZAQAR_SIGNAL",
            deployments={
                "reboots": {"config": CUT, "options": {"interrupted": "succeed"}},
                "cut": {"config": CUT},
                "next": {"config": "#!/bin/sh\necho done"},
            },
        ),
    )
    items = wait_for("the deployments", lambda: asked_of(heat, stack, 3))
    # What a server has with it from the start is there at each boot.
    data = {"deployments": [items[name] for name in ("reboots", "cut", "next")]}
    files = [BOOT_CONFIG, File("/var/lib/heat-cfntools/cfn-init-data", json.dumps(data))]
    disks = {"/var/lib/heat-config": tmp_path / "state", "/var/log/heat-config": tmp_path / "log"}
    for folder in disks.values():
        folder.mkdir(mode=0o700)
    server = Server(root, files=files, disks=disks)
    try:
        for name in ("reboots", "cut"):
            server.boot()
            line = f"{name}: so far"
            server.wait_for(lambda it, line=line: line in it.journal(), what="the hook's line")  # type: ignore[misc]
            leader = Path(f"/proc/{server.leader}")
            server.stop(timeout=0)
            assert not leader.exists()
        server.boot()
        # First, because what it waits for in vain comes with the server's journal.
        server.wait_for(lambda it: len(accepted(it)) == 2, timeout=120, what="two accepted results")
        assert stack.wait("CREATE") == "FAILED"
        assert "cut" in stack.reason and "non-zero status code: 1" in stack.reason
        assert stack.output("cut.deploy_stderr").startswith("so far\nthe run was interrupted")
        assert stack.output("next.deploy_stdout") == "done\n"
        assert stack.output("reboots.deploy_stdout") == "so far\n"
        expected = "the run was interrupted, as the config expects\n"
        assert stack.output("reboots.deploy_stderr") == expected
    finally:
        server.stop()
        stack.delete()


# What the elements have put there beside the environment goes; what the agent knows stays.
TAKE_AWAY = """
units="os-collect-config.service heat-config-deliver.path heat-config-resume.path"
systemctl disable --quiet --now $units
rm -r /usr/libexec/heat-config /usr/libexec/os-refresh-config /usr/libexec/os-apply-config
rm /usr/lib/systemd/system/os-collect-config.* /usr/lib/systemd/system/heat-config-*
find /usr/bin /usr/local/bin -lname "/opt/stack/venvs/heat-config/*" -delete
systemctl daemon-reload
"""


@pytest.fixture
def bare(server: Server) -> Server:
    """The same server without what the elements install, and with the wheel that pip installs.

    Its tests come after all others of that server.
    """
    server.run(["sh", "-euc", TAKE_AWAY])
    wheel = io.BytesIO()
    with tarfile.open(fileobj=wheel, mode="w:gz") as archive:
        for name in ("elements", "hooks"):
            archive.add(REPOSITORY / name, f"share/{name}")
    unpack = f"base64 -d | tar -xzC /{VENV}/lib/python3*/site-packages/heat_config"
    server.run(["sh", "-ec", unpack], text_input=base64.b64encode(wheel.getvalue()).decode())
    return server


@pytest.mark.usefixtures("stack")
def test_a_running_server_is_installed_joins_a_stack_and_is_left(
    lab: Lab, heat: Heat, bare: Server
) -> None:
    install = [f"/{VENV}/bin/heat-config", "install"]
    assert "write /usr/libexec/heat-config/hooks/script\n" in bare.run(install).stdout
    units = ("os-collect-config.service", "heat-config-deliver.path", "heat-config-resume.path")
    assert bare.run(["systemctl", "is-enabled", *units]).stdout.split() == ["enabled"] * 3
    # Nobody waits for the collector's start, which may come later in a boot.
    active = ["systemctl", "is-active", *units]
    bare.wait_for(lambda it: not it.run(active, check=False).returncode, what="the services")
    again = bare.run(install).stdout
    assert again == "nothing to change: all is as it has to be\n"

    deployments = {"tell": {"config": "#!/bin/sh\necho joined"}}
    made = template(
        server_transport="ZAQAR_MESSAGE", signal_transport="ZAQAR_SIGNAL", deployments=deployments
    )
    stack = heat.create("test-join", made)
    stack.wait_for_server()
    wrong = json.loads(shown(lab, "json"))
    wrong["output_value"]["zaqar"]["password"] = "another-password"
    join = ["heat-config", "join", "--timeout", "1"]
    said = bare.run(join, text_input=json.dumps(wrong), check=False)
    assert said.returncode == 2
    assert "401" in said.stderr
    assert "zaqar cannot be asked, for the reason above" in said.stderr
    said = bare.run(join[:2], text_input=shown(lab, "value"))
    assert said.stdout.startswith("joined: the metadata have come from zaqar")
    assert stack.wait("CREATE") == "COMPLETE", stack.reason
    assert stack.output("tell.deploy_stdout") == "joined\n"
    stack.delete()

    # Not while a config is being run.
    uninstall = [*install, "--uninstall"]
    bare.wait_for(lambda it: not it.run(uninstall, check=False).returncode, what="its end")
    listed = ["systemctl", "list-units", "--all", "--plain", "--no-legend"]
    assert bare.run([*listed, "os-collect-config*", "heat-config*"]).stdout == ""
    assert "config" not in bare.run(["ls", "/usr/libexec"]).stdout


def shown(lab: Lab, form: str) -> str:
    """What Heat has for the server, as its owner is shown it."""
    argv = [str(lab.bin("openstack")), "stack", "output", "show", "test-join", "server", "-f", form]
    environment = {**os.environ, **lab.environment()}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout


def test_nothing_of_the_build_stays_in_the_image(root: Path) -> None:
    assert list((root / VENV).glob("lib/python3*/site-packages/pip*")) == []
    for folder in ("tmp", "root/.cache", "var/cache/apt/archives", "root/.config/pip"):
        left = [path for path in (root / folder).glob("**/*") if path.is_file()]
        assert [path for path in left if path.name != "lock"] == []
    wheels = subprocess.run(
        ["find", root, "-xdev", "-name", "*.whl"], capture_output=True, text=True, check=True
    )
    assert wheels.stdout == ""
    assert not (root / "etc/pip.conf").exists()


def test_the_environment_is_small(root: Path) -> None:
    files = [path for path in (root / VENV).rglob("*") if not path.is_symlink()]
    assert sum(path.stat().st_blocks * 512 for path in files) < 110e6


def test_the_image_holds_no_secret_of_this_machine(root: Path) -> None:
    assert list((root / "etc/ssh").glob("ssh_host_*")) == []
    machine_id = root / "etc/machine-id"
    assert not machine_id.exists() or machine_id.read_text().strip() in ("", "uninitialized")


def test_the_demo_ends_well_and_leaves_nothing(lab: Lab) -> None:
    demo = subprocess.run(
        [lab.python, "-m", "demo"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "output message: 'Hello, Zaqar! Hello, Zaqar! '" in demo.stdout
    assert not Lab().running


def asked_of(heat: Heat, stack: Stack, number: int) -> dict[str, Any] | None:
    """What Heat asks of a stack's server, by name; None before it is so many deployments."""
    items = heat.api.resources.metadata(stack.id, "server").get("deployments", [])
    return {item["name"]: item for item in items} if len(items) == number else None


def entries(server: Server, *arguments: str) -> list[dict[str, Any]]:
    """The journal's entries that journalctl finds with some arguments."""
    found = server.run(["journalctl", "--no-pager", "--quiet", "--output=json", *arguments]).stdout
    return [json.loads(line) for line in found.splitlines()]


def events_of(found: list[dict[str, Any]]) -> list[Event | None]:
    """What each of some entries is; None where it is none of ours."""
    return [Event(it["MESSAGE_ID"]) if it.get("MESSAGE_ID") in KNOWN else None for it in found]


def accepted(server: Server) -> list[str]:
    lines = server.journal("os-collect-config").splitlines()
    return [line for line in lines if "was accepted by queue" in line]


def secrets_of(server: Server) -> list[str]:
    """Every password and user id that Heat has given this server."""
    found: set[str] = set()
    listing = server.run(["ls", "/var/lib/heat-config/deployed"]).stdout.split()
    for name in listing:
        if name.endswith(".notify.json"):
            continue
        item = json.loads(server.read(f"/var/lib/heat-config/deployed/{name}"))
        values: dict[str, Any] = {entry["name"]: entry["value"] for entry in item["inputs"]}
        found |= {values["deploy_password"], values["deploy_user_id"]}
    data = json.loads(server.read("/var/lib/heat-cfntools/cfn-init-data"))
    found.add(data["os-collect-config"]["zaqar"]["password"])
    return sorted(found)

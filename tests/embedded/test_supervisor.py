"""The supervisor starts, watches and stops its processes, and nothing outlives it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded import child, run_info
from embedded.child import Child, KeepsDyingError
from embedded.home import PROJECT, Home
from embedded.log_tail import LogTail
from embedded.processes import ProcessIdentity, wait_gone
from embedded.run_info import RunInfo
from embedded.service import Service
from tests.waiting import eventually

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def start(home: Home) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def _start(mode: str = "plain") -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.embedded.small", str(home.root), mode]
        started.append(
            subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        )
        return started[-1]

    yield _start
    for process in started:
        process.kill()
        process.wait()


def ready(home: Home) -> RunInfo:
    def look() -> RunInfo | None:
        info = run_info.read(home.run_file)
        return info if info is not None and info.is_ready else None

    info = eventually(look)
    assert isinstance(info, RunInfo)
    return info


def family(info: RunInfo) -> list[ProcessIdentity]:
    """Return every process of the run, those that the children started themselves included."""
    groups = {identity.pid for identity in info.processes.values()}
    members = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [identity for pid in members if _group(pid) in groups and (identity := ProcessIdentity.of(pid))]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_ends_everything_and_leaves_no_run_file(start: Start, home: Home, number: int) -> None:
    supervisor = start()
    info = ready(home)
    eventually(lambda: len(family(info)) == 4)  # server, two programs, and one that a program started
    processes = family(info)
    supervisor.send_signal(number)
    assert supervisor.wait(10) == 0
    assert not any(process.is_running for process in processes)
    assert not home.run_file.exists()
    assert f"stopping on {signal.Signals(number).name}" in supervisor.stdout.read()


def test_a_process_deaf_to_the_stop_signal_is_killed(start: Start, home: Home) -> None:
    supervisor = start("deaf")
    info = ready(home)
    eventually(lambda: "deaf" in (home.logs / "program-0.log").read_text())
    supervisor.terminate()
    assert supervisor.wait(10) == 0
    assert not any(process.is_running for process in info.processes.values())


def test_kill_9_of_the_supervisor_leaves_no_child(start: Start, home: Home) -> None:
    supervisor = start()
    info = ready(home)
    supervisor.kill()
    assert all(wait_gone(process, 5) for process in info.processes.values())


def test_the_next_start_after_a_kill_9_works_in_the_same_home(start: Start, home: Home) -> None:
    first = start()
    before = ready(home)
    first.kill()
    first.wait()
    start()
    eventually(lambda: ready(home).supervisor != before.supervisor)
    assert not any(process.is_running for process in before.processes.values())


def test_a_killed_child_is_started_again(start: Start, home: Home) -> None:
    start()
    before = ready(home).processes["program-0"]
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: ready(home).processes.get("program-0") not in (before, None))
    assert "ended with code -9" in (home.logs / "program-0.log").read_text()


def test_a_second_supervisor_of_the_same_home_is_refused(start: Start, home: Home) -> None:
    start()
    ready(home)
    assert "is in use by http://127.0.0.1:9" in (start().communicate()[0])


def test_a_failed_migration_ends_the_run_and_says_where_to_look(start: Start, home: Home) -> None:
    output, _ = (supervisor := start("badmigration")).communicate(timeout=20)
    assert supervisor.returncode == 1
    assert "failed with code 7" in output
    assert "migrate.log" in output


def test_a_process_that_keeps_dying_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LONGEST_PAUSE_S", 0.01)
    broken = Child(Service("broken", [sys.executable, "-S", "-c", "raise SystemExit(3)"]), tmp_path)
    broken.start()
    with pytest.raises(KeepsDyingError, match=r"broken\.log"):
        eventually(lambda: broken.watch() and False, timeout_s=30)
    assert broken.starts == child.MOST_RESTARTS + 1


def test_a_process_that_no_longer_answers_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "CHECK_PERIOD_S", 0.05)
    monkeypatch.setattr(child, "PATIENCE_S", 0.2)
    hung = Child(Service("hung", ["sleep", "600"], is_well=lambda: False), tmp_path)
    hung.start()
    eventually(hung.watch)
    hung.kill()
    assert "does not answer and is killed" in hung.log.read_text()


def test_log_lines_carry_their_process_and_survive_a_put_away_file(tmp_path: Path) -> None:
    said: list[str] = []
    tail, log = LogTail(said.append), tmp_path / "web.log"
    log.write_text("before\n")
    tail.follow(log)
    with log.open("a") as file:
        file.write("one\ntwo\nhal")
    tail.show_new()
    log.write_text("new\n")
    tail.show_new()
    assert said == ["       web | one", "       web | two", "       web | new"]

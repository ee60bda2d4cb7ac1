"""The demo completes whatever is killed under it, and leaves nothing behind however it ends."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import postgres_files, run_info
from tests.e2e.running import RunningDemo
from tests.waiting import eventually

pytestmark = pytest.mark.e2e
N_ROUNDS, N_PER_ROUND = 2, 12
SIZE = ("--rounds", str(N_ROUNDS), "--per-round", str(N_PER_ROUND))


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    running = RunningDemo(tmp_path, "--seed", "5", *SIZE)
    yield running
    if running.process.poll() is None:
        running.process.terminate()
        running.process.wait(60)
    postgres_files.forget(running.home)


def kill_and_wait_for_the_next(demo: RunningDemo, name: str) -> None:
    info = run_info.read(demo.home.run_file)
    assert info is not None
    before = info.processes[name]
    os.kill(before.pid, signal.SIGKILL)

    def replaced() -> bool:
        now = run_info.read(demo.home.run_file)
        return now is not None and now.processes.get(name) not in {before, None}

    eventually(replaced, timeout_s=30)


def test_kill_9_of_worker_web_server_and_valkey_changes_no_count(demo: RunningDemo) -> None:
    demo.wait_ready()
    demo.wait_said("accepted a batch")
    for name in ("worker-1", "web", "valkey"):
        kill_and_wait_for_the_next(demo, name)
        assert f"{name} ended with code -9" in (demo.home.logs / f"{name}.log").read_text()
        time.sleep(1.5)
    assert demo.process.wait(150) == 0, demo.output.read_text()
    outcome = demo.outcome(seed=5)
    for arm in outcome["arms"].values():
        decided = arm["n_labeled"] + arm["n_unlabelable"] + arm["n_unresolved"]
        assert arm["n_asked"] == decided == N_ROUNDS * N_PER_ROUND
        assert [sum(row.values()) for row in arm["kinds_by_round"]] == [N_PER_ROUND] * N_ROUNDS
    loop_checks = [check for check in outcome["checks"] if "every" in check["statement"]]
    assert len(loop_checks) == 5  # two of each arm, and that every cent is accounted for
    assert all(check["is_passed"] for check in loop_checks)
    assert not [process for process in demo.family() if process.is_running]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_however_the_demo_is_ended_nothing_goes_on_running(demo: RunningDemo, number: int, code: int) -> None:
    info = demo.wait_ready()
    eventually(lambda: len(demo.family()) > len(info.processes) + 5)
    family = [*demo.family(), info.supervisor]
    demo.process.send_signal(number)
    assert demo.process.wait(60) == code
    eventually(lambda: not [process for process in family if process.is_running])

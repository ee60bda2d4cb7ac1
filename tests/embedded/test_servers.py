"""PostgreSQL and Valkey start on whatever a killed run left behind."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import ports, postgres_files, processes, run_info, stack, stale
from embedded.child import Child
from embedded.home import Home
from embedded.postgres import Postgres, running_postmaster
from embedded.processes import ProcessIdentity, wait_gone
from embedded.run_info import RunInfo
from embedded.server_user import ServerUser, is_reachable_by_others, server_user
from embedded.valkey import Valkey
from tests.waiting import eventually


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("home"))
    home.prepare()
    yield home
    postgres_files.forget(home)


def started(postgres: Postgres, home: Home) -> Child:
    server = Child(postgres.service(), home.logs)
    server.start()
    eventually(server.is_ready)
    return server


def test_postgres_starts_over_a_stale_pid_file_and_an_orphan(home: Home) -> None:
    """One cluster through every kind of leftover (initdb is what takes time)."""
    postgres = Postgres.of(home, is_durable=False)
    first = started(postgres, home)
    postgres.create_database()
    postgres.create_database()
    pid_file = postgres.files.data / "postmaster.pid"
    lines = pid_file.read_text()
    first.kill()
    pid_file.write_text(lines.replace(lines.split("\n", 1)[0], str(os.getpid()), 1))  # the id now is a stranger's
    assert running_postmaster(postgres.files.data) is None
    orphan = started(postgres, home)
    assert orphan.identity is not None
    assert running_postmaster(postgres.files.data) == orphan.identity
    third = started(postgres, home)  # its supervisor did not know of the orphan
    assert wait_gone(orphan.identity, 5)
    assert postgres.sql("labelyard", "SELECT 1") == "1"
    third.ask_to_stop()
    third.stop()
    assert not pid_file.exists()


def test_an_interrupted_initdb_is_redone(home: Home) -> None:
    postgres = Postgres.of(home, is_durable=False)
    (postgres.files.data / "base").mkdir(parents=True)
    (postgres.files.data.with_name("data.new") / "base").mkdir(parents=True)
    postgres.prepare()
    assert (postgres.files.data / "PG_VERSION").read_text().strip() == "18"


def test_the_service_is_durable_and_only_tests_are_not(home: Home) -> None:
    assert "fsync=off" not in Postgres.of(home).service().command
    assert "fsync=off" in Postgres.of(home, is_durable=False).service().command


def test_a_closed_folder_stays_closed_when_the_server_runs_as_somebody_else(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    home = Home(closed / "home")
    home.prepare()
    closed.chmod(0o700)
    user = server_user(os.geteuid()) or ServerUser(os.geteuid(), os.getegid())
    postgres = Postgres(postgres_files.locate(home, user), server_user(os.geteuid()), is_durable=False)
    try:
        assert postgres.files.data.is_relative_to("/var/tmp")
        postgres.prepare()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        postgres_files.forget(home)
    assert not postgres.files.data.exists()


def test_programs_in_a_closed_folder_are_copied_and_run(tmp_path: Path) -> None:
    programs = postgres_files._copy_of(postgres_files.packaged_programs(), tmp_path)
    assert is_reachable_by_others(programs / "initdb") == is_reachable_by_others(tmp_path)
    assert b"18." in subprocess.check_output([programs / "initdb", "--version"])


def test_only_root_needs_another_user() -> None:
    assert server_user(1000) is None
    with pytest.raises(RuntimeError, match="no-such-user"):
        server_user(0, ["no-such-user"])


def test_long_paths_get_a_short_socket_folder(tmp_path: Path) -> None:
    assert len(str(postgres_files._socket_folder(tmp_path / ("x" * 90)))) < 60


def test_a_taken_port_is_left_to_its_owner(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as owner:
        owner.bind((ports.LOOPBACK, 0))
        owner.listen()
        taken = owner.getsockname()[1]
        monkeypatch.setattr("embedded.valkey.USUAL_PORT", taken)
        chosen = stack.Stack.of(home, {"LABELYARD_PORT": str(taken), "DATABASE_URL": "postgresql:///x"})
        assert chosen.valkey is not None
        assert taken not in {chosen.web_port, chosen.valkey.port}
        server = Child(chosen.valkey.service(), home.logs)
        server.start()
        eventually(server.is_ready)
        server.kill()
    assert ports.choose(taken) == taken


def test_valkey_keeps_its_password_off_the_command_line(home: Home) -> None:
    valkey = Valkey.of(home)
    service = valkey.service()
    assert service.before_start is not None
    service.before_start()
    assert valkey.password not in " ".join(service.command)
    assert stat.S_IMODE((home.valkey / "valkey.conf").stat().st_mode) == 0o600


def test_servers_of_somebody_else_are_used_and_not_started(home: Home) -> None:
    given = {"DATABASE_URL": "postgresql://db/labelyard", "REDIS_URL": "redis://cache/0"}
    chosen = stack.Stack.of(home, given)
    assert chosen.data_services() == []
    assert given.items() <= chosen.environment.items()


def test_the_stand_in_provider_runs_where_it_is_asked_for(home: Home) -> None:
    given = {"DATABASE_URL": "postgresql://db/labelyard", "REDIS_URL": "redis://cache/0"}
    chosen = stack.Stack.of(home, given | {"LABELYARD_PAYMENTS": "stand-in"})
    assert [service.name for service in chosen.data_services()] == ["payments"]
    assert chosen.environment["STRIPE_SECRET_KEY"].startswith("sk_test_")
    (service,) = chosen.data_services()
    assert chosen.environment["STRIPE_SECRET_KEY"] not in " ".join(service.command)
    server = Child(service, home.logs)
    server.start()
    eventually(server.is_ready)
    server.kill()


@pytest.mark.parametrize(
    "given", [{"LABELYARD_PAYMENTS": "paypal"}, {"LABELYARD_PAYMENTS": "stand-in", "STRIPE_SECRET_KEY": "sk_live_x"}]
)
def test_a_choice_of_payments_that_cannot_be_meant_is_refused(home: Home, given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"got 'paypal'|one provider"):
        stack.Stack.of(home, given | {"DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://cache/0"})


def test_cleaning_up_spares_a_stranger_with_the_same_process_id(home: Home) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    left = ProcessIdentity.of(sleeper.pid)
    assert left is not None
    reused = ProcessIdentity(stranger.pid, "1")
    RunInfo("ready", reused, "", "", "", {"worker": left, "web": reused}).write(home.run_file)
    assert stale.clean(home) == ["worker"]
    assert sleeper.wait(5) != 0
    assert stranger.poll() is None
    assert run_info.read(home.run_file) is None
    processes.signal_group(stranger.pid, 9)
    stranger.wait()


def test_a_mangled_run_file_counts_as_none(home: Home) -> None:
    home.run_file.write_text('{"state": "ready"')
    assert run_info.read(home.run_file) is None
    assert stale.clean(home) == []


def test_port_0_means_any_free_one() -> None:
    assert ports.is_free(ports.choose(0))

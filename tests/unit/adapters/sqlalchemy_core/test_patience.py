"""A cluster that was there and went away is waited for; what only reads is read again, what writes never written."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_br.adapters.sqlalchemy_core.patience import FIRST_PAUSE, LONGEST_PAUSE
from starrocks_br.domain.errors import OutcomeUnknown, Unreachable
from starrocks_br.domain.events import Warned
from starrocks_br.domain.names import DatabaseName
from tests.support.world import World, cut, refuse


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A cluster that nobody talked to yet."""
    return World(tmp_path)


@pytest.fixture
def ready(world: World) -> World:
    """A world that somebody talked to already."""
    world.ready("d1.t")
    world.executor.execute("SELECT 1")
    del world.sent[:]
    return world


def gone(world: World) -> None:
    """From now on nobody answers."""
    world.door.answering = False
    cut()


def warnings(world: World) -> list[str]:
    return [event.message for event in world.events if isinstance(event, Warned)]


@pytest.mark.parametrize("sql", ["SELECT 1", "SHOW DATABASES", "ADMIN SHOW FRONTEND CONFIG LIKE 'run_mode'"])
def test_what_only_reads_is_read_again_over_a_new_connection(ready: World, sql: str) -> None:
    ready.before(sql.split(maxsplit=1)[0], cut)
    assert ready.executor.execute(sql).rows
    assert ready.sent.count(sql) == 2
    (warning,) = warnings(ready)
    assert warning.startswith("the connection is lost (Lost connection")
    assert warning.endswith("; trying again for up to 300 s")


@pytest.mark.parametrize("sql", ["INSERT INTO d1.t SELECT * FROM d1.t", "DROP TABLE d1.t FORCE"])
def test_what_writes_is_never_sent_twice(ready: World, sql: str) -> None:
    ready.after(sql.split(maxsplit=1)[0], cut)
    with pytest.raises(OutcomeUnknown):
        ready.executor.execute(sql)
    assert ready.sent.count(sql) == 1


def test_what_was_not_sent_is_sent_once_the_cluster_is_back(ready: World) -> None:
    """A write, too: without a connection nothing left this machine."""
    ready.after("DROP TABLE", lambda: gone(ready))
    with pytest.raises(OutcomeUnknown):
        ready.executor.execute("DROP TABLE d1.t FORCE")
    ready.clock_alarm(100, lambda: setattr(ready.door, "answering", True))
    ready.executor.execute("CREATE DATABASE d9")
    assert ready.sent.count("CREATE DATABASE d9") == 1
    assert ready.ports.cluster.objects(DatabaseName("d9")) == {}


def test_pauses_grow_and_end_with_the_time_that_the_user_gives(ready: World) -> None:
    ready.before("SELECT 1", lambda: gone(ready))
    began = ready.clock.now()
    with pytest.raises(Unreachable, match="does not answer any more") as caught:
        ready.executor.execute("SELECT 1")
    assert 300 < ready.clock.now() - began <= 300 + LONGEST_PAUSE + FIRST_PAUSE
    assert "Can't connect to MySQL server" in caught.value.why
    assert "picks them up" in caught.value.hint
    assert len(warnings(ready)) == 1


def test_a_line_that_was_silent_for_longer_than_all_patience_is_made_anew(ready: World) -> None:
    """A half-open connection is noticed after read_timeout, which may be longer than reconnect_timeout."""

    def silent() -> None:
        ready.later(960)
        cut()

    ready.before("SELECT 1", silent)
    assert ready.executor.execute("SELECT 1").rows


def test_who_never_answered_is_not_waited_for(world: World) -> None:
    world.door.answering = False
    world.ports = world.reconnect()
    began = world.clock.now()
    with pytest.raises(Unreachable):
        world.executor.execute("SELECT 1")
    assert world.clock.now() == began


def test_a_query_that_the_server_gave_up_is_not_asked_again(ready: World) -> None:
    """The connection stands: the same question would take as long again."""
    ready.before("SELECT 1", refuse(5024, "Query timeout."))
    with pytest.raises(OutcomeUnknown):
        ready.executor.execute("SELECT 1")
    assert ready.sent.count("SELECT 1") == 1


def test_a_line_whose_answers_cannot_be_read_is_dropped(ready: World) -> None:
    """What came next on it might be the answer to something else."""
    ready.before("SELECT 1", refuse(2027, "Received malformed packet"))
    assert ready.executor.execute("SELECT 1").rows
    assert ready.sent.count("SELECT 1") == 2
    ready.before("CREATE DATABASE", refuse(2027, "Received malformed packet"))
    with pytest.raises(OutcomeUnknown):
        ready.executor.execute("CREATE DATABASE d9")


def test_the_history_is_read_again_too(ready: World) -> None:
    ready.before("backup_history", cut)
    assert ready.ports.backups.outlines() == ()

"""Finding the leader. The simulator is a cluster of one, so what SHOW FRONTENDS tells of more is put into its mouth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from attrs import define

from starrocks_br.adapters.settings import Tls
from starrocks_br.adapters.sqlalchemy_core import dialling
from starrocks_br.adapters.sqlalchemy_core.dialling import Address, dial_leader, from_settings
from starrocks_br.adapters.sqlalchemy_core.executor import SqlAlchemyExecutor
from starrocks_br.domain.errors import AccessDenied, OutcomeUnknown, Unreachable
from starrocks_simulator import dispatch
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.errors import refused
from starrocks_simulator.named_faults import plant
from starrocks_simulator.results import Result, strings
from starrocks_simulator.session import Session
from tests.served import Served, served, settings

COLUMNS = ("Id", "Name", "IP", "QueryPort", "Role", "ClusterId", "Alive")


@define
class Two:
    """Two frontends of what says it is one cluster.

    Attributes:
        entry: The one whose address the settings have.
        other: The other one.
        told: What each of them tells, by port: rows of IP, port, role, cluster, alive.
    """

    entry: Served
    other: Served
    told: dict[int, list[tuple[str, int, str, str, str]]]

    def tell(self, *rows: tuple[str, int, str, str, str]) -> None:
        """Let both tell the same."""
        self.told = {self.entry.port: list(rows), self.other.port: list(rows)}

    def dialled(self, **changes: object) -> int:
        """Dial, and tell the port that was reached in the end."""
        connection = dial_leader(settings(self.entry.port, **changes))
        connection.exec_driver_sql("SELECT 'here'")
        connection.close()
        (reached,) = [one.port for one in (self.entry, self.other) if "SELECT 'here'" in one.heard]
        return reached


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Two listening frontends."""
    with ExitStack() as stack:
        entry = stack.enter_context(served(tmp_path / "a"))
        other = stack.enter_context(served(tmp_path / "b"))
        both = Two(entry, other, {})

        def show_frontends(session: Session, cursor: Cursor) -> Result:
            cursor.end()
            rows = both.told[session.frontend.query_port]
            return strings(
                COLUMNS,
                [("1", "n", ip, str(port), role, cluster, alive) for ip, port, role, cluster, alive in rows],
            )

        monkeypatch.setitem(dispatch.STATEMENTS, ("SHOW", "FRONTENDS"), show_frontends)
        entry.frontend.query_port, other.frontend.query_port = entry.port, other.port
        yield both


def test_the_entry_that_is_the_leader_is_kept(two: Two) -> None:
    """One line is enough."""
    two.tell(
        ("127.0.0.1", two.entry.port, "LEADER", "7", "true"), ("127.0.0.1", two.other.port, "FOLLOWER", "7", "true")
    )

    assert two.dialled() == two.entry.port
    assert two.entry.heard.count("SHOW FRONTENDS") == 1


def test_a_leader_elsewhere_is_dialled(two: Two) -> None:
    """The line to the follower is given up."""
    two.tell(
        ("127.0.0.1", two.entry.port, "FOLLOWER", "7", "true"), ("127.0.0.1", two.other.port, "LEADER", "7", "true")
    )

    assert two.dialled() == two.other.port
    assert two.dialled(host="localhost") == two.other.port


def test_a_name_that_may_stand_for_several_frontends_is_not_taken_for_the_leader(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind such a name may be any of them, so the leader is dialled by its own address."""
    two.tell(
        ("127.0.0.1", two.entry.port, "LEADER", "7", "true"), ("127.0.0.1", two.other.port, "FOLLOWER", "7", "true")
    )
    real = dialling._addresses

    def several(address: Address) -> frozenset[str]:
        return real(address) | ({"127.0.0.2"} if address.host == "localhost" else frozenset())

    monkeypatch.setattr(dialling, "_addresses", several)

    assert two.dialled(host="localhost") == two.entry.port
    assert two.entry.heard.count("SHOW FRONTENDS") == 2


def test_the_only_frontend_alive_is_the_leader_whatever_its_address_is_called(two: Two) -> None:
    """As seen through a forwarded port; the others are down."""
    two.tell(("10.255.0.1", 9030, "LEADER", "7", "true"), ("10.255.0.2", 9030, "FOLLOWER", "7", "false"))

    assert two.dialled() == two.entry.port


def test_a_leader_that_does_not_answer_is_unreachable(two: Two) -> None:
    """What a follower tells of jobs is late or wrong, so there is no going on with it."""
    two.tell(("127.0.0.1", 1, "LEADER", "7", "true"), ("127.0.0.1", two.entry.port, "FOLLOWER", "7", "true"))

    with pytest.raises(Unreachable, match=r"leader 127\.0\.0\.1:1 does not answer") as caught:
        two.dialled()
    assert str(two.entry.port) in caught.value.hint


@pytest.mark.parametrize("cluster", ["7", "8"])
def test_who_answers_in_the_leaders_place_must_be_the_leader(two: Two, cluster: str) -> None:
    """An address may lead elsewhere from here, and a leader may change meanwhile."""
    rows = [
        ("127.0.0.1", two.entry.port, "FOLLOWER", "7", "true"),
        ("127.0.0.1", two.other.port, "LEADER", "7", "true"),
    ]
    two.tell(*rows)
    two.told[two.other.port] = [
        ("127.0.0.1", two.other.port, "FOLLOWER", cluster, "true"),
        ("127.0.0.1", two.entry.port, "LEADER", cluster, "true"),
    ]

    with pytest.raises(Unreachable, match="does not answer") as caught:
        two.dialled()
    assert f"of cluster {cluster}" in caught.value.why


@pytest.mark.parametrize("role", ["FOLLOWER", "LEADER"])
def test_a_cluster_without_a_living_leader_is_unreachable(two: Two, role: str) -> None:
    """There is nobody to run a job."""
    alive = "false" if role == "LEADER" else "true"
    two.tell(("127.0.0.1", two.entry.port, "FOLLOWER", "7", "true"), ("127.0.0.1", two.other.port, role, "7", alive))

    with pytest.raises(Unreachable, match="no leader"):
        two.dialled()


def test_a_name_that_nobody_knows_is_no_place() -> None:
    """Then it is not the leader's, either."""
    assert dialling._addresses(Address("no such host", 9030)) == frozenset()


def test_without_operate_the_grant_is_told(two: Two) -> None:
    """Without it the leader is not told; so it is found out first."""

    def deny(sql: str) -> None:
        if sql == "SHOW FRONTENDS":
            raise refused(
                "you need (at least one of) the OPERATE OR NODE privilege(s) on SYSTEM for this operation.",
                5203,
                "42000",
            )

    two.entry.frontend.faults.before.append(deny)
    with pytest.raises(AccessDenied) as caught:
        two.dialled()
    assert "GRANT OPERATE ON SYSTEM TO USER root" in caught.value.hint


def test_a_wrong_password_is_denied_and_never_shown(tmp_path: Path) -> None:
    """Neither the right one nor the wrong one."""
    with served(tmp_path, password="right-secret") as cluster:
        assert cluster.executor.execute("SELECT 1").rows == ((1,),)
        with pytest.raises(AccessDenied) as caught:
            dial_leader(settings(cluster.port, password="wrong-secret"))

    shown = f"{caught.value!r} {caught.value} {caught.value.hint}"
    assert "127.0.0.1" in shown
    assert "secret" not in shown


def test_nobody_at_the_address_is_unreachable() -> None:
    """Nothing was sent."""
    with pytest.raises(Unreachable, match=r"the connection to 127\.0\.0\.1:1 failed"):
        SqlAlchemyExecutor(from_settings(settings(1))).execute("SELECT 1")


def test_the_leader_is_found_through_the_first_frontend_that_answers(two: Two) -> None:
    """The dead one costs a try, no more."""
    two.tell(
        ("127.0.0.1", two.entry.port, "FOLLOWER", "7", "true"), ("127.0.0.1", two.other.port, "LEADER", "7", "true")
    )

    assert two.dialled(host=["127.0.0.1:1", f"127.0.0.1:{two.entry.port}"]) == two.other.port


def test_a_frontend_that_believes_in_a_dead_leader_is_passed_over(two: Two) -> None:
    """It has not learnt yet who the new one is."""
    two.tell(
        ("127.0.0.1", two.entry.port, "FOLLOWER", "7", "false"), ("127.0.0.1", two.other.port, "LEADER", "7", "true")
    )
    two.told[two.entry.port] = [
        ("127.0.0.1", 1, "LEADER", "7", "true"),
        ("127.0.0.1", two.entry.port, "FOLLOWER", "7", "true"),
    ]

    assert two.dialled(host=[f"127.0.0.1:{one.port}" for one in (two.entry, two.other)]) == two.other.port


def test_when_no_frontend_answers_each_of_them_is_told_of() -> None:
    """The reasons may differ."""
    with pytest.raises(Unreachable, match="none of 2 frontends leads to the leader") as caught:
        dial_leader(settings(1, host=["127.0.0.1", "127.0.0.1:2"]))
    assert "127.0.0.1:1: " in caught.value.why
    assert "127.0.0.1:2: " in caught.value.why
    assert caught.value.hint


def test_a_silent_frontend_is_given_up_after_the_read_timeout(tmp_path: Path) -> None:
    """A half-open line never hangs us, and what was sent on it may have happened."""
    with served(tmp_path, read_timeout=1) as cluster:
        plant(cluster.frontend, "hang-after=CREATE DATABASE")
        with pytest.raises(OutcomeUnknown):
            cluster.executor.execute("CREATE DATABASE d")
        assert ("d",) in cluster.executor.execute("SHOW DATABASES").rows


def test_tls_that_the_frontend_does_not_speak_is_no_connection(tmp_path: Path) -> None:
    """It never falls back to plain text."""
    with served(tmp_path) as cluster, pytest.raises(Unreachable):
        dial_leader(settings(cluster.port, tls=Tls()))


def test_tls_files_reach_the_client_library() -> None:
    """Those that were given, and no others."""
    whole = dialling._tls_arguments(Tls(ca="ca.pem", cert="cert.pem", key="key.pem"))
    assert whole == {"ssl_mode": "VERIFY_IDENTITY", "ssl": {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}}
    assert dialling._tls_arguments(Tls()) == {"ssl_mode": "VERIFY_IDENTITY", "ssl": {}}

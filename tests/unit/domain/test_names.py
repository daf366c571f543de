"""Names as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from starrocks_br.domain.errors import InvalidName
from starrocks_br.domain.names import (
    ClusterId,
    DatabaseName,
    Selection,
    TableName,
    TableRef,
    alias_for,
    before_name,
    cluster_id,
    database_name,
    label_for,
    label_name,
    metadata_label_for,
    parse_metadata_label,
    parse_pattern,
    partition_name,
    repository_name,
    restore_before,
    restore_id,
    restore_of,
    restored_label_for,
    run_id,
    table_name,
)

AT = datetime(2026, 9, 8, 4, 0, 0, tzinfo=timezone(timedelta(hours=2)))


def test_a_label_tells_database_and_utc() -> None:
    """Whatever zone the instant came in."""
    assert label_for(DatabaseName("db1"), AT, "k3f9qa") == "db1_20260908T020000_k3f9qa"
    assert label_for(DatabaseName("My db-2"), AT, "k3f9qa") == "My_db_2_20260908T020000_k3f9qa"
    assert label_for(DatabaseName("d" * 256), AT, "k3f9qa") == "d" * 41 + "_20260908T020000_k3f9qa"


def test_a_restore_that_is_recorded_has_a_label_that_says_so() -> None:
    """Cut as any other, the token never."""
    assert restored_label_for(DatabaseName("db1"), AT, "k3f9qa") == "br_restored_db1_20260908T020000_k3f9qa"
    assert len(restored_label_for(DatabaseName("d" * 256), AT, "k" * 20)) == 64


@pytest.mark.usefixtures("machine_in_tokyo")
def test_a_label_does_not_depend_on_where_the_machine_is() -> None:
    """Two machines of one user name the same instant alike."""
    assert label_for(DatabaseName("db1"), AT, "k3f9qa") == "db1_20260908T020000_k3f9qa"


def test_a_token_that_is_no_part_of_a_label_is_refused() -> None:
    """It may come from the user's own code: `Tokens` is a port."""
    with pytest.raises(InvalidName) as refusal:
        label_for(DatabaseName("db1"), AT, "k3 f9qa")
    assert refusal.value.what == "'k3 f9qa' is not a token name that can be used"


def test_a_metadata_label_is_told_from_others() -> None:
    """A database that is named like one aside: what the snapshot holds has the last word."""
    label = metadata_label_for(ClusterId("1234"), AT, "k3f9qa")
    assert label == "br_meta_1234_20260908T020000_k3f9qa"
    assert parse_metadata_label(label) == ("1234", datetime(2026, 9, 8, 2, tzinfo=UTC))
    assert parse_metadata_label("db1_20260908T020000_k3f9qa") is None
    assert parse_metadata_label("br_meta_1234_20269908T020000_k3f9qa") is None
    assert parse_metadata_label("br_meta_1234_20260908T020000_") is None
    assert parse_metadata_label("br_meta__20260908T020000_k3f9qa") is None


def test_the_cluster_of_a_metadata_label_is_never_cut() -> None:
    """The label would tell of another cluster, whose history a cold start would then take for its own."""
    longest = metadata_label_for(ClusterId("1" * 19), AT, "k" * 20)
    assert parse_metadata_label(longest) == ("1" * 19, datetime(2026, 9, 8, 2, tzinfo=UTC))
    with pytest.raises(InvalidName):
        metadata_label_for(ClusterId("1" * 19), AT, "k" * 21)


@pytest.mark.parametrize(
    ("check", "kind", "good", "bad"),
    [
        (database_name, "database", "db-1", "1db"),
        (database_name, "database", "cafe", "café"),
        (repository_name, "repository", "_repo", "__repo"),
        (repository_name, "repository", "_" + "a" * 63, "_" + "a" * 64),
        (repository_name, "repository", "depot", "dépôt"),
        (repository_name, "repository", "_depot", "_dépôt"),
        (table_name, "table", "Bestellungen.é", "a`b"),
        (partition_name, "partition", "p20260101", "p\n"),
        (repository_name, "repository", "my_backup_repo", "my repo"),
        (label_name, "snapshot", "db1_20260908T020000_k3f9qa", "db1_*"),
        (cluster_id, "cluster", "1234", ""),
        (run_id, "run", "run-1", "run 1"),
        (restore_id, "restore", "k3f9qa", "k3-f9qa"),
        (table_name, "table", "t", " t"),
        (table_name, "table", "t", "t "),
    ],
)
def test_a_name_is_checked_when_it_is_made(check: type, kind: str, good: str, bad: str) -> None:
    """So that nothing downstream meets a hostile one; the user is told which kind of name it is."""
    assert check(good) == good
    with pytest.raises(InvalidName) as refusal:
        check(bad)
    assert refusal.value.what == f"{bad!r} is not a {kind} name that can be used"
    assert refusal.value.hint == "names hold no backtick, no control character and no blank at either end"


@pytest.mark.parametrize(
    ("check", "longest"),
    [
        (database_name, 256),
        (table_name, 1024),
        (partition_name, 1024),
        (repository_name, 64),
        (label_name, 64),
        (cluster_id, 64),
        (run_id, 64),
        (restore_id, 32),
    ],
)
def test_a_name_has_a_greatest_length(check: type, longest: int) -> None:
    """The server's, or the column's that it is written to."""
    assert check("a" * longest) == "a" * longest
    assert check("a") == "a"
    for bad in ("a" * (longest + 1), ""):
        with pytest.raises(InvalidName):
            check(bad)


def test_a_table_is_named_by_database_and_name() -> None:
    """The first dot divides."""
    ref = TableRef.parse("db1.orders.2026")
    assert (ref.database, ref.name) == ("db1", "orders.2026")
    assert str(ref) == "db1.orders.2026"
    assert min([TableRef.parse("b.a"), TableRef.parse("a.b"), TableRef.parse("a.a")]) == TableRef.parse("a.a")
    with pytest.raises(InvalidName, match="'orders' does not name a table") as refusal:
        TableRef.parse("orders")
    assert refusal.value.hint == "write DATABASE.TABLE, as in db1.orders"


def test_an_alias_is_a_name_that_nobody_else_takes() -> None:
    """It begins with what is never backed up."""
    assert alias_for(restore_id("k3f9qa")) == "__br_k3f9qa"


def test_a_hidden_table_tells_its_restore_and_no_other_table_does() -> None:
    assert restore_of(TableName("__br_k3f9qa")) == "k3f9qa"
    assert restore_of(alias_for(restore_id("k3f9qa"))) == "k3f9qa"
    assert restore_of(TableName("__br_k3f9qa_12")) == "k3f9qa"
    for name in ("k3f9qa", "orders", "__br_", "__br_$", "x__br_k3f9qa", "__br_k3f9qa_", "__br_k3f9qa_x", "__br_a_1_2"):
        assert restore_of(TableName(name)) is None


def test_a_table_that_gave_way_keeps_its_name_as_far_as_it_goes() -> None:
    restore = restore_id("k3f9qa")
    assert before_name(TableName("orders"), restore) == "orders__before_k3f9qa"
    longest = before_name(TableName("t" * 1024), restore)
    assert (len(longest), longest.endswith("t__before_k3f9qa")) == (1024, True)


def test_a_pattern_is_a_table_or_a_whole_database() -> None:
    """And nothing else: a bad one is refused when the selection is made."""
    assert parse_pattern("db1.*") == "db1"
    assert parse_pattern("db1.orders") == TableRef.parse("db1.orders")
    with pytest.raises(InvalidName):
        Selection(("db1.orders", "nonsense"))


def test_a_selection_leaves_out_what_is_not_the_users() -> None:
    """Our own database, the server's, and restores in the making."""
    existing = {
        TableRef.parse(text)
        for text in (
            "db1.a",
            "db1.__br_x",
            "ops.backup_history",
            "sys.b",
            "information_schema.b",
            "_statistics_.b",
            "db2.a",
        )
    }
    wanted = ("db1.*", "ops.*", "sys.b", "information_schema.*", "_statistics_.b", "db1.a", "db3.a")
    chosen, unmatched = Selection(wanted).expand(existing, DatabaseName("ops"))
    assert chosen == {TableRef.parse("db1.a")}
    assert unmatched == ("ops.*", "sys.b", "information_schema.*", "_statistics_.b", "db3.a")


def test_the_name_of_a_replaced_table_tells_the_restore() -> None:
    assert restore_before(before_name(TableName("orders"), restore_id("r1"))) == "r1"
    assert restore_before(TableName("orders__before")) is None

"""Laws of names: labels, quoting, references to tables, selections."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starrocks_br.adapters.starrocks.statements import quote, unquote
from starrocks_br.domain.errors import InvalidName
from starrocks_br.domain.names import (
    ClusterId,
    DatabaseName,
    Selection,
    TableRef,
    alias_for,
    database_name,
    label_for,
    label_name,
    metadata_label_for,
    parse_metadata_label,
    partition_name,
    restore_id,
    table_name,
)

tokens = st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True)
databases = st.from_regex(r"[A-Za-z_][A-Za-z0-9_ $@#%&+=~!^<>-]{0,254}[A-Za-z0-9_]", fullmatch=True).map(database_name)
clusters = st.from_regex(r"[0-9]{1,19}", fullmatch=True).map(ClusterId)
seconds = st.datetimes(datetime(2000, 1, 1), datetime(2999, 1, 1)).map(  # noqa: DTZ001 -- made aware right here
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
plain = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Z"], blacklist_characters="`"), min_size=1)
tables = plain.map(table_name)
refs = st.builds(TableRef, databases, tables)
HOSTILE = "`\0\n\r\t\x1b\x7f"


@given(databases, seconds, tokens)
def test_a_label_is_valid_and_keeps_its_token_for_any_database(
    database: DatabaseName, at: datetime, token: str
) -> None:
    """Labels are unique in a whole repository by their token: a long name is cut, the token never."""
    label = label_for(database, at, token)
    assert re.fullmatch(r"[-A-Za-z0-9_]{1,64}", label)
    assert label.endswith(f"_{at:%Y%m%dT%H%M%S}_{token}")
    assert label_name(label) == label


@given(databases, seconds, tokens, tokens)
def test_labels_of_two_tokens_differ(database: DatabaseName, at: datetime, one: str, other: str) -> None:
    """Two runs in the same second, on two clusters even, never share a label."""
    assert (label_for(database, at, one) == label_for(database, at, other)) is (one == other)


@given(clusters, seconds, st.from_regex(r"[A-Za-z0-9]{1,20}", fullmatch=True))
def test_a_metadata_label_tells_its_cluster_and_its_time(cluster: ClusterId, at: datetime, token: str) -> None:
    """A cold start finds the newest one by nothing else."""
    assert parse_metadata_label(metadata_label_for(cluster, at, token)) == (cluster, at)


@given(st.one_of(st.text(), st.from_regex(r"br_meta_.{0,5}_\d{8}T\d{6}_\w{0,5}")))
def test_any_text_is_a_metadata_label_or_none(text: str) -> None:
    """A repository holds other people's labels; none of them breaks the search."""
    found = parse_metadata_label(text)
    assert found is None or text.startswith(f"br_meta_{found[0]}_")


@given(plain)
def test_unquote_reads_what_quote_wrote(name: str) -> None:
    """Whatever a name holds, but for what cannot be addressed at all."""
    assert unquote(quote(name)) == name
    assert quote(name).count("`") == 2


@given(st.text(), st.sampled_from(HOSTILE), st.text())
def test_hostile_text_is_refused_everywhere(before: str, hostile: str, after: str) -> None:
    """The server deletes backticks instead of escaping them: such a name would address something else."""
    text = before + hostile + after
    for check in (database_name, table_name, partition_name, label_name, restore_id, quote):
        with pytest.raises(InvalidName):
            check(text)


@given(refs)
def test_a_table_reference_is_read_as_it_is_written(ref: TableRef) -> None:
    """Dots in a table's name included."""
    assert TableRef.parse(str(ref)) == ref


@given(tokens)
def test_no_selection_holds_the_alias_of_a_restore(token: str) -> None:
    """What a restore is making is no table yet."""
    alias = TableRef(DatabaseName("db"), alias_for(restore_id(token)))
    other = TableRef.parse("db.t")
    chosen, unmatched = Selection(("db.*", str(alias))).expand({alias, other}, DatabaseName("ops"))
    assert chosen == {other}
    assert unmatched == (str(alias),)


@given(st.sets(refs, max_size=8), st.data())
def test_a_selection_is_the_union_of_its_patterns(existing: set[TableRef], data: st.DataObject) -> None:
    """In whatever order and however often they are written; a pattern without a match is told."""
    eligible = {ref for ref in existing if not ref.name.startswith("__br_") and ref.database != "ops"}
    options = [str(ref) for ref in eligible] + [f"{ref.database}.*" for ref in existing] + ["nowhere.*", "no.where"]
    patterns = data.draw(st.lists(st.sampled_from(sorted(options))))
    chosen, unmatched = Selection(tuple(patterns)).expand(existing, DatabaseName("ops"))
    wanted = {ref for ref in eligible if str(ref) in patterns or f"{ref.database}.*" in patterns}
    assert chosen == wanted
    assert set(unmatched) == {
        pattern for pattern in patterns if not any(pattern in {str(ref), f"{ref.database}.*"} for ref in eligible)
    }

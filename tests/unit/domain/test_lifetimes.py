"""Properties by which partitions come and go on their own."""

from __future__ import annotations

from starrocks_br.domain.lifetimes import lifetimes, lifetimes_in, switched_off
from starrocks_br.domain.names import TableRef

DDL = """CREATE TABLE `t` (
  `k` date NOT NULL COMMENT "\\"partition_ttl\\" = \\"1 day\\""
) ENGINE=OLAP
PROPERTIES (
"compression" = "LZ4",
"dynamic_partition.enable" = "true",
"partition_live_number" = "-1",
"partition_retention_condition" = "k >= date_trunc("month", current_date())"
);"""


def test_lifetimes_are_read_out_of_a_create_table() -> None:
    """What is switched off there is none; quotes in a value are not escaped."""
    assert lifetimes_in(DDL) == {
        "dynamic_partition.enable": "true",
        "partition_retention_condition": 'k >= date_trunc("month", current_date())',
    }
    assert lifetimes_in("") == {}


def test_what_stands_before_the_properties_is_none() -> None:
    """A comment may have lines that look like one."""
    columns = '(\n`k` int COMMENT "PROPERTIES (\n"partition_ttl" = "1 day"\n"\n)'
    assert lifetimes_in(f'CREATE TABLE `t` {columns}\nPROPERTIES (\n"x" = "y"\n);') == {}


def test_a_word_for_off_counts_however_it_is_written() -> None:
    assert lifetimes({"dynamic_partition.enable": "FALSE", "partition_ttl": "3 days"}) == {"partition_ttl": "3 days"}


def test_the_way_back_quotes_what_has_to_be_quoted() -> None:
    told = switched_off(TableRef.parse("d.t"), "k", 'a "b" \\c')
    assert told.startswith("the server may not add or drop partitions on its own now; to allow it again: ")
    assert told.endswith('ALTER TABLE d.t SET ("k" = "a \\"b\\" \\\\c")')

"""Members of StrEnums come back as members: they equal their texts, so that a comparison alone does not show it."""

from __future__ import annotations

from starrocks_br.adapters.documents import converter
from starrocks_br.domain.partitions import Partitioning


def test_a_member_comes_back_as_a_member() -> None:
    assert type(converter().structure("list", Partitioning)) is Partitioning

"""What hangs on a table: which grants are lost, which materialized views are concerned."""

from __future__ import annotations

import pytest
from attrs import evolve

from starrocks_br.domain.dependents import (
    Dependents,
    Grant,
    MaterializedView,
    group_in,
    lost_grants,
    may_activate,
    readers,
)
from starrocks_br.domain.names import TableRef

USER = "'u'@'%'"


def ref(text: str) -> TableRef:
    """`db.t`."""
    return TableRef.parse(text)


def given(privileges: str, grantee: str = USER, *, is_role: bool = False, grantable: bool = False) -> Grant:
    """A grant of `a, b`."""
    words = frozenset(privileges.split(", "))
    return Grant(grantee=grantee, is_role=is_role, privileges=words, grantable=grantable)


def view(name: str, *reads: str, active: bool = True, reason: str = "") -> MaterializedView:
    """A materialized view that reads these."""
    return MaterializedView(name=ref(name), active=active, reason=reason, reads=frozenset(map(ref, reads)))


@pytest.mark.parametrize(
    ("before", "now", "lost"),
    [
        ([given("SELECT, INSERT")], [], [given("SELECT, INSERT")]),
        ([given("SELECT, INSERT")], [given("INSERT")], [given("SELECT")]),
        ([given("SELECT"), given("INSERT")], [given("EXPORT")], [given("SELECT, INSERT")]),
        ([given("SELECT")], [given("SELECT, INSERT")], []),
        ([given("SELECT")], [given("SELECT", grantable=True)], []),
        ([given("SELECT", grantable=True)], [given("SELECT")], [given("SELECT", grantable=True)]),
        ([given("SELECT")], [given("SELECT", is_role=True)], [given("SELECT")]),
        ([given("SELECT")], [given("SELECT", "'v'@'%'")], [given("SELECT")]),
        (
            [given("SELECT", "r", is_role=True), given("ALTER")],
            [],
            [given("ALTER"), given("SELECT", "r", is_role=True)],
        ),
        ([], [given("SELECT")], []),
    ],
)
def test_lost_is_what_was_granted_and_is_not_any_more(before: list[Grant], now: list[Grant], lost: list[Grant]) -> None:
    """Whoever held it with the grant option needs that back, too; what holds ON ALL TABLES is in both looks."""
    assert lost_grants(before, now) == tuple(lost)


def test_readers_are_found_through_each_other_and_at_any_look() -> None:
    """A look after the table lost its name may not show any more who read it."""
    views = [view("a.one", "d.t"), view("a.two", "a.one", "d.other"), view("a.three", "a.two"), view("a.far", "d.else")]
    now = [view("a.one"), view("a.late", "a.three")]
    assert readers([ref("d.t")], views, now) == {ref("a.one"), ref("a.two"), ref("a.three"), ref("a.late")}
    assert readers([], views) == frozenset()


@pytest.mark.parametrize(
    ("before", "reason", "may"),
    [
        (view("a.v"), "anything", True),
        (view("a.v", active=False), "base-table dropped: t", True),
        (None, "base-mv inactive: mv", True),
        (view("a.v", active=False), "user use alter materialized view set status to inactive", False),
        (None, "", False),
    ],
)
def test_nothing_is_activated_that_somebody_wanted_inactive(
    before: MaterializedView | None, reason: str, may: bool
) -> None:
    assert may_activate(view("a.v", active=False, reason=reason), before) is may


def test_dependents_show_how_many_and_not_who() -> None:
    """Names of users stay out of logs."""
    shown = Dependents(groups={ref("d.t"): ""}, grants={ref("d.t"): (given("SELECT"),)}, views={})
    assert repr(shown) == "Dependents(groups=1, views=0, notes=())"


def test_a_look_can_be_told_by_other_names() -> None:
    """As when a table was set aside meanwhile."""
    seen = Dependents(groups={ref("d.aside"): "g"}, grants={ref("d.aside"): (given("SELECT"),)}, views={})
    names = {ref("d.aside"): ref("d.t")}
    told = seen.under(names)
    assert (told.groups, told.grants) == ({ref("d.t"): "g"}, {ref("d.t"): (given("SELECT"),)})
    unread = Dependents(groups={}, grants=None, views={}, notes=("why",))
    assert unread.under(names) == unread


def test_a_later_look_holds_and_what_it_did_not_see_is_not_known_any_more() -> None:
    """But of views: one that cannot be read again is still told by what it was."""
    one, other = ref("d1.a"), ref("d1.b")
    first = Dependents(
        groups={one: "g", other: "h"},
        grants={one: (given("SELECT"),), other: (given("ALTER"),)},
        views={ref("d1.mv"): view("d1.mv", "d1.a")},
        notes=("x",),
    )
    later = Dependents(groups={one: ""}, grants={one: ()}, views={}, notes=("x", "y"))
    assert first.renewed(later) == Dependents(
        groups={one: "", other: "h"}, grants={one: (), other: (given("ALTER"),)}, views=first.views, notes=("x", "y")
    )
    assert first.renewed(evolve(later, grants=None)).grants is None
    assert evolve(first, grants=None).renewed(later).grants == {one: ()}
    seen = {ref("d1.mv"): view("d1.mv", "d1.a", active=False)}
    assert first.renewed(evolve(later, views=seen)).views == seen


def test_the_colocate_group_is_read_from_the_properties_only() -> None:
    text = """CREATE TABLE `t` (`a` int COMMENT '"colocate_with" = "no"') {0}PROPERTIES ("replication_num" = "1"{1})"""
    assert group_in(text.format("", ', "colocate_with" = "g1"')) == "g1"
    assert group_in(text.format("", "")) == ""
    assert group_in(text.format('COMMENT "PROPERTIES (" ', ', "colocate_with" = "g1"')) == "g1"
    assert group_in("") == ""

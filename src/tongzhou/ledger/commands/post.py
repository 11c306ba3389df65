"""Posting: the only way money moves.

One call, however many books and postings, issues the same few statements:

1. the postings (INSERT … ON CONFLICT DO NOTHING: a repeated reference inserts nothing),
2. where a split depends on a balance, the rows concerned are locked and read, in (book, account) order (a
   posting that found nothing to take is removed again),
3. the citations (UPDATE … WHERE reversed + x ≤ amount, trusting the row count),
4. the transfers,
5. the balances: one upsert in (book, account) order whose WHERE holds each constrained account at or
   above zero; a row that does not come back was refused.

Everybody locks in the same order, so two posters never wait for each other in a circle, and the
CHECK constraints stand behind all of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import clock, sheets
from tongzhou.kit.actor import Actor
from tongzhou.kit.idempotency import digest
from tongzhou.kit.ids import new_ids
from tongzhou.kit.refusals import Kind, Refusal, conflict
from tongzhou.kit.transactions import command
from tongzhou.ledger import chart, sql
from tongzhou.ledger.models import Book, DaySeal, MallCurrency, Posting, Transfer
from tongzhou.ledger.values import Draw, Fill, Leg, Move, Posted, PostedTransfer, PostingRequest, Take

_ACCOUNTS: dict[type, Callable[[Any], tuple[str, ...]]] = {
    Move: attrgetter("debit", "credit"),
    Draw: attrgetter("first", "then", "credit"),
    Fill: attrgetter("debit", "credit", "nets"),
    Take: attrgetter("debit", "credit"),
}
# What a repeat is compared by: every field of a leg but the name its transfer may be given beforehand.
_INPUT: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    kind: attrgetter(*[f for f in kind.__slots__ if f != "id"]) for kind in (Move, Draw, Fill, Take)
}
MOST = 1_000  # books a batch may touch (house.md, sharding habit 3)


@command()
def post(
    *, book_id: UUID, kind: str, reference: str, story_id: UUID, legs: Sequence[Leg], by: Actor, at: datetime,
    book_kind: str = "member", effective_at: datetime | None = None, plan_version: str = "",
) -> Posted:  # fmt: skip
    """Write one posting into one book, or return what the same reference wrote before.

    *Refuses:* as :func:`post_many`.
    """
    request = PostingRequest(
        book_id, kind, reference, story_id, tuple(legs), effective_at or at, book_kind, plan_version
    )
    return post_many([request], by=by, at=at)[0]


@command()
def post_many(requests: Sequence[PostingRequest], *, by: Actor, at: datetime) -> list[Posted]:
    """Write postings into any number of books in a constant number of statements; all of them or none.

    *Refuses:* ``unknown_account``, ``amount_not_positive``, ``same_account``, ``empty_posting``,
    ``reference_reused`` (the reference exists with another input), ``insufficient_balance`` (a
    constrained account would fall below zero), ``over_reversed`` (a citation beyond what is left of
    its transfer), ``sealed_day``, ``wrong_currency``.
    """
    if not requests:
        return []
    for request in requests:
        _check(request)
    if len({r.book_id for r in requests}) > MOST:
        raise ValueError(f"a posting batch touches at most {MOST} books")
    _check_day(at)
    _check_currency()
    sql.open_books({(r.book_id, r.book_kind) for r in requests})
    asked, fresh = _insert_postings(requests, by=by, at=at)
    _resolve(fresh)
    _drop_empty(fresh)
    _cite(fresh)
    _insert_transfers(fresh)
    _move_balances(fresh)
    return [draft.answer() for draft in asked]


def hold_books(book_ids: Sequence[UUID], *, kind: str = "member") -> None:
    """Hold books, given in order, until the caller's transaction ends: for a limit over a book's sum.

    Balances guard themselves; this is for rules that read several stories before they post, like a
    monthly ceiling. SQLite's writers are alone anyway.
    """
    sql.open_books({(book, kind) for book in book_ids})
    if connection.vendor == "postgresql":
        list(Book.objects.filter(id__in=book_ids).order_by("id").select_for_update().values_list("id", flat=True))


@dataclass(slots=True)
class _Draft:
    """A posting on its way into the book; ``old`` is what its reference had written before, if it had."""

    request: PostingRequest
    id: UUID
    input_hash: str
    moves: list[tuple[UUID, Move]] = field(default_factory=list)
    old: Posted | None = None

    def answer(self) -> Posted:
        if self.old:
            return self.old
        return Posted(self.id, tuple([PostedTransfer(i, m.debit, m.credit, m.amount) for i, m in self.moves]))


def _check(request: PostingRequest) -> None:
    if not request.legs:
        raise Refusal("empty_posting", _("一笔记账至少要有一条分录。"), field="legs", value=request.reference)
    for leg in request.legs:
        _check_accounts(_ACCOUNTS[type(leg)](leg))
        if type(leg.amount) is not int or leg.amount <= 0:
            raise Refusal(
                "amount_not_positive", _("金额必须是正整数（最小货币单位）。"), field="amount", value=leg.amount,
                rule=_("大于 0 的整数"), fix=_("没有金额就不要记账。"),
            )  # fmt: skip


@cache
def _check_accounts(accounts: tuple[str, ...]) -> None:
    """The accounts of a leg; those that were right once are right."""
    for account in accounts:
        try:
            chart.entry(account)
        except KeyError:
            raise Refusal("unknown_account", _("科目表里没有这个科目。"), field="account", value=account) from None
    if len(set(accounts)) != len(accounts):
        raise Refusal("same_account", _("借贷双方不能是同一个科目。"), field="account", value=accounts[0])


def _check_day(at: datetime) -> None:
    """A sealed day takes nothing more. A moment within the last hour cannot be sealed yet, so nobody asks."""
    if at > clock.now() - timedelta(hours=1):
        return
    day = clock.mall_day(at)
    if DaySeal.objects.filter(day__gte=day).exists():
        raise conflict(
            "sealed_day", _("这一天的账已经封存。"), field="recorded_at", value=day,
            fix=_("以今天的日期记账，把发生日写在 effective_at。"),
        )  # fmt: skip


def _check_currency() -> None:
    if sql.currency_seen.get("currency") == settings.CURRENCY:
        return
    MallCurrency.objects.bulk_create([MallCurrency(id=1, code=settings.CURRENCY)], ignore_conflicts=True)
    fixed = MallCurrency.objects.values_list("code", flat=True).get(id=1)
    if fixed != settings.CURRENCY:
        raise Refusal(
            "wrong_currency", _("账本已经以另一种货币开始记账。"), kind=Kind.CONFLICT, field="TONGZHOU_CURRENCY",
            value=settings.CURRENCY, rule=fixed, fix=_("把 TONGZHOU_CURRENCY 改回账本的货币。"),
        )  # fmt: skip
    transaction.on_commit(lambda: sql.currency_seen.update(currency=fixed))


def _input_hash(request: PostingRequest) -> str:
    legs = [(type(leg).__name__, *_INPUT[type(leg)](leg)) for leg in request.legs]
    return digest([request.kind, str(request.story_id), legs])


def _insert_postings(
    requests: Sequence[PostingRequest], *, by: Actor, at: datetime
) -> tuple[list[_Draft], list[_Draft]]:  # fmt: skip
    """Insert what is new; compare what is not. Returns a draft for each request, and those that are new, once each."""
    drafts: dict[tuple[UUID, str], _Draft] = {}
    asked = []
    for request, identity in zip(requests, new_ids(len(requests)), strict=True):
        body = _input_hash(request)
        draft = drafts.setdefault((request.book_id, request.reference), _Draft(request, identity, body))
        if draft.input_hash != body:
            raise _reused(request.reference)
        asked.append(draft)
    fresh = list(drafts.values())
    new = sorted(fresh, key=lambda d: (d.request.book_id.int, d.request.reference))
    written = sql.insert_postings(
        {
            "id": [d.id for d in new],
            "book_id": [d.request.book_id for d in new],
            "kind": [d.request.kind for d in new],
            "reference": [d.request.reference for d in new],
            "input_hash": [d.input_hash for d in new],
            "story_id": [d.request.story_id for d in new],
            "effective_at": [d.request.effective_at for d in new],
            "plan_version": [d.request.plan_version for d in new],
        },
        {"recorded_at": at, "actor": str(by)[:80]},
    )
    if written is None:
        return asked, fresh
    told = _earlier([d for d in fresh if d.id not in written])
    for draft in fresh:
        draft.old = told.get((draft.request.book_id, draft.request.reference))
    return asked, [d for d in fresh if d.id in written]


def _earlier(drafts: Iterable[_Draft]) -> dict[tuple[UUID, str], Posted]:
    """What these references wrote before. *Refuses:* ``reference_reused``."""
    wanted = {(d.request.book_id, d.request.reference): d for d in drafts}
    found = Posting.objects.filter(
        book_id__in={book for book, _r in wanted}, reference__in={ref for _b, ref in wanted}
    ).values_list("id", "book_id", "reference", "input_hash")
    ids: dict[UUID, tuple[UUID, str]] = {}
    for posting_id, book, reference, body in found:
        if (book, reference) in wanted:
            if wanted[book, reference].input_hash != body:
                raise _reused(reference)
            ids[posting_id] = (book, reference)
    rows: dict[UUID, list[PostedTransfer]] = {posting_id: [] for posting_id in ids}
    for row in Transfer.objects.filter(posting_id__in=ids).order_by("posting_id", "seq"):
        rows[row.posting_id].append(PostedTransfer(row.id, row.debit, row.credit, row.amount))
    return {key: Posted(pid, tuple(rows[pid]), repeated=True) for pid, key in ids.items()}


def _reused(reference: str) -> Refusal:
    return conflict(
        "reference_reused", _("这个凭证号已经记过另一笔内容不同的账。"), field="reference", value=reference,
        rule=_("同一本账里，一个凭证号只对应一份内容"),
    )  # fmt: skip


def _resolve(drafts: Sequence[_Draft]) -> None:
    """Turn splits into moves. Balances are locked first, in order, and followed leg by leg."""
    split = {name for d in drafts for leg in d.request.legs if (name := _split_by(leg))}
    standing = _lock(drafts) if split else {}
    moves: list[list[Move]] = []
    for draft in drafts:
        if not split:
            moves.append([leg for leg in draft.request.legs if isinstance(leg, Move)])
            continue
        have = standing.setdefault(draft.request.book_id, {})
        moves.append([])
        for leg in draft.request.legs:
            for move in _parts(leg, have):
                moves[-1].append(move)
                for account, side in ((move.debit, 1), (move.credit, -1)):
                    if account in split:
                        sign = side if chart.is_debit_normal(account) else -side
                        have[account] = have.get(account, 0) + sign * move.amount
    ids = iter(new_ids(sum(map(len, moves))))
    for draft, parts in zip(drafts, moves, strict=True):
        draft.moves = [(move.id or next(ids), move) for move in parts]


def _split_by(leg: Leg) -> str:
    """The account whose balance decides how a leg is split; empty for a plain move."""
    if isinstance(leg, Move):
        return ""
    return leg.first if isinstance(leg, Draw) else leg.debit if isinstance(leg, Take) else leg.nets


def _lock(drafts: Sequence[_Draft]) -> dict[UUID, dict[str, int]]:
    """Every balance these drafts touch, locked in (book, account) order."""
    touched: dict[UUID, set[str]] = {}
    for draft in drafts:
        accounts = touched.setdefault(draft.request.book_id, set())
        for leg in draft.request.legs:
            accounts.update(_ACCOUNTS[type(leg)](leg))
    return sql.lock_balances(
        [(b, a) for b, names in sorted(touched.items(), key=lambda item: item[0].int) for a in sorted(names)]
    )


def _drop_empty(drafts: Sequence[_Draft]) -> None:
    """A posting whose every leg found nothing to take moved no money: nothing of it stays."""
    empty = [d.id for d in drafts if not d.moves]
    if empty:
        Posting.objects.filter(id__in=empty).delete()


def _parts(leg: Leg, have: Mapping[str, int]) -> list[Move]:
    """A split as one or two moves, by what stands now in its book."""
    if isinstance(leg, Move):
        return [leg]
    if isinstance(leg, Draw):
        near = max(0, min(leg.amount, have.get(leg.first, 0)))
        parts = [(leg.first, leg.credit, near), (leg.then, leg.credit, leg.amount - near)]
    elif isinstance(leg, Take):
        parts = [(leg.debit, leg.credit, max(0, min(leg.amount, have.get(leg.debit, 0))))]
    else:
        near = max(0, min(leg.amount, have.get(leg.nets, 0)))
        parts = [(leg.debit, leg.nets, near), (leg.debit, leg.credit, leg.amount - near)]
    return [Move(debit, credit, amount, leg.cites) for debit, credit, amount in parts if amount]


def _cite(drafts: Sequence[_Draft]) -> None:
    """Raise the cited transfers' ``reversed``; the row count says whether each had that much left."""
    wanted: dict[tuple[UUID, UUID], int] = {}
    for draft in drafts:
        for _id, move in draft.moves:
            if move.cites:
                key = (draft.request.book_id, move.cites)
                wanted[key] = wanted.get(key, 0) + move.amount
    if not wanted:
        return
    rows = sorted(
        ((book, cited, amount) for (book, cited), amount in wanted.items()), key=lambda r: (r[0].hex, r[1].hex)
    )
    if sql.raise_reversed(rows) != len(rows):
        raise conflict(
            "over_reversed", _("冲回的金额超过了原分录剩余的金额。"), field="cites",
            rule=_("累计冲回 ≤ 原金额"), fix=_("核对已经退过多少，再退剩余部分。"),
        )  # fmt: skip


def _insert_transfers(drafts: Sequence[_Draft]) -> None:
    rows = [(d, seq, i, move) for d in drafts for seq, (i, move) in enumerate(d.moves)]
    sheets.insert(
        Transfer,
        {
            "id": [i for _d, _n, i, _m in rows],
            "book_id": [d.request.book_id for d, _n, _i, _m in rows],
            "posting_id": [d.id for d, _n, _i, _m in rows],
            "story_id": [d.request.story_id for d, _n, _i, _m in rows],
            "seq": [n for _d, n, _i, _m in rows],
            "debit": [m.debit for _d, _n, _i, m in rows],
            "credit": [m.credit for _d, _n, _i, m in rows],
            "amount": [m.amount for _d, _n, _i, m in rows],
            "cites": [m.cites for _d, _n, _i, m in rows],
        },
        {"reversed": 0},
    )


def _move_balances(drafts: Sequence[_Draft]) -> None:
    deltas: dict[UUID, dict[str, list[int]]] = {}
    for draft in drafts:
        moved = deltas.setdefault(draft.request.book_id, {})
        for _id, move in draft.moves:
            moved.setdefault(move.debit, [0, 0])[0] += move.amount
            moved.setdefault(move.credit, [0, 0])[1] += move.amount
    if not any(deltas.values()):
        return
    short = sql.apply_deltas(deltas)
    if short:
        _book, account = short[0]
        raise conflict(
            "insufficient_balance", _("余额不足：%(account)s。") % {"account": account}, field="account", value=account,
            rule=_("这个科目的余额不能小于 0"), fix=_("先看余额，再按余额以内的金额操作。"),
        )  # fmt: skip

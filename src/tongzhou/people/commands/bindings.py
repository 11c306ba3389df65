"""Who invited whom: written once, corrected only by two people, and never a loop."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import conflict, forbidden, invalid, not_found
from tongzhou.people.models import Binding, Member, RebindProposal

DEPTH = 10_000


def _ancestors_have(inviter_id: UUID, invitee_id: UUID) -> bool:
    """Walk up from the inviter; one indexed look-up a step, no recursive SQL."""
    seen, here = 0, inviter_id
    while seen < DEPTH:
        above = Binding.objects.filter(invitee_id=here).values_list("inviter_id", flat=True).first()
        if above is None:
            return False
        if above == invitee_id:
            return True
        here, seen = above, seen + 1
    return True


def _lock_pair(*members: UUID) -> int:
    """Lock the members concerned in id order, so that two opposite bindings cannot both pass the loop check."""
    rows = Member.objects.filter(id__in=set(members)).order_by("id").select_for_update()
    return len(list(rows.values_list("id", flat=True)))


def _alone() -> None:
    """One at a time: four people can close a loop in two transactions that share nobody.

    Needed only where the invitee may have invited somebody already: a new account has nobody below it.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('people.bindings'))")


@transaction.atomic
def bind(
    *, invitee_id: UUID, inviter_id: UUID, source: str, by: Actor, at: datetime, has_orders: bool = False
) -> bool:  # fmt: skip
    """Write who invited the account; True when it was written now, False when the same binding stood already.

    *Refuses:* ``self_binding``, ``unknown_inviter``, ``already_bound`` (to another), ``has_orders``
    (live binding only before the first order), ``would_close_a_loop``.
    """
    if invitee_id == inviter_id:
        raise invalid("self_binding", _("不能邀请自己。"), field="inviter", value=inviter_id)
    if _lock_pair(invitee_id, inviter_id) != 2:
        raise invalid("unknown_inviter", _("没有这位邀请人。"), field="inviter", value=inviter_id)
    if Binding.objects.filter(inviter_id=invitee_id).exists():
        _alone()
    standing = Binding.objects.filter(invitee_id=invitee_id).values_list("inviter_id", flat=True).first()
    if standing == inviter_id:
        return False
    if standing:
        raise conflict(
            "already_bound", _("这个账号已经有邀请人了。"), field="inviter", rule=_("第一次邀请为准，只写一次")
        )
    if has_orders:
        raise conflict("has_orders", _("下过单之后不能再补邀请人。"), field="inviter", rule=_("只在第一单之前"))
    if _ancestors_have(inviter_id, invitee_id):
        raise conflict("would_close_a_loop", _("这样会绕成一个圈。"), field="inviter", value=inviter_id)
    try:
        with transaction.atomic():
            Binding.objects.bulk_create([Binding(invitee_id=invitee_id, inviter_id=inviter_id, source=source, at=at)])
    except IntegrityError:
        raise conflict("already_bound", _("这个账号已经有邀请人了。"), field="inviter") from None
    return True


@transaction.atomic
def bind_many(pairs: Sequence[tuple[UUID, UUID, datetime]], *, source: str) -> dict[UUID, str]:
    """Write many bindings (imports) in the order given; returns invitee → why it was not taken.

    The whole forest is held in memory while it works, so that a loop is found by walking a dict.
    Reasons: ``self_binding``, ``already_bound``, ``would_close_a_loop``.
    """
    _alone()
    parents: dict[UUID, UUID] = dict(Binding.objects.values_list("invitee_id", "inviter_id"))
    fresh: list[Binding] = []
    refused: dict[UUID, str] = {}
    for invitee, inviter, at in pairs:
        reason = _why_not(invitee, inviter, parents)
        if reason == "same":
            continue
        if reason:
            refused[invitee] = reason
            continue
        parents[invitee] = inviter
        fresh.append(Binding(invitee_id=invitee, inviter_id=inviter, source=source, at=at))
    Binding.objects.bulk_create(fresh, batch_size=500)
    return refused


def _why_not(invitee: UUID, inviter: UUID, parents: Mapping[UUID, UUID]) -> str:
    if invitee == inviter:
        return "self_binding"
    if invitee in parents:
        return "same" if parents[invitee] == inviter else "already_bound"
    here: UUID | None = inviter
    while here is not None:
        if here == invitee:
            return "would_close_a_loop"
        here = parents.get(here)
    return ""


@transaction.atomic
def propose_rebind(*, invitee_id: UUID, inviter_id: UUID, reason: str, by: Actor, at: datetime) -> UUID:
    """Propose to correct a binding; nothing changes until another person confirms.

    *Refuses:* ``reason_missing``, ``self_binding``, ``unknown_inviter``, ``would_close_a_loop``, ``same_inviter``
    (nothing would change), ``already_proposed`` (one correction at a time).
    """
    if by.id is None:
        raise forbidden("not_named", _("提出更正的人必须有身份。"))
    if len(reason.strip()) < 4:
        raise invalid("reason_missing", _("请写明更正的理由。"), field="reason", value=reason, rule=_("至少 4 个字"))
    if invitee_id == inviter_id:
        raise invalid("self_binding", _("不能邀请自己。"), field="inviter", value=inviter_id)
    if _lock_pair(invitee_id, inviter_id) != 2:
        raise invalid("unknown_inviter", _("没有这位邀请人。"), field="inviter", value=inviter_id)
    if _ancestors_have(inviter_id, invitee_id):
        raise conflict("would_close_a_loop", _("这样会绕成一个圈。"), field="inviter", value=inviter_id)
    old = Binding.objects.filter(invitee_id=invitee_id).values_list("inviter_id", flat=True).first()
    if old == inviter_id:
        raise conflict("same_inviter", _("现在的邀请人就是 TA，没有要改的。"), field="inviter", value=inviter_id)
    if RebindProposal.objects.filter(invitee_id=invitee_id, confirmed_at=None, declined_at=None).exists():
        raise conflict(
            "already_proposed", _("这位会员已经有一份更正在等第二个人。"), field="inviter", rule=_("一次一份"),
            fix=_("先确认或搁下那一份。"),
        )  # fmt: skip
    row = RebindProposal(
        invitee_id=invitee_id, old_inviter_id=old, new_inviter_id=inviter_id, reason=reason.strip()[:400],
        proposed_by=by.id, proposed_at=at,
    )  # fmt: skip
    RebindProposal.objects.bulk_create([row])
    audit.record(
        by=by, action="binding.propose", subject_kind="member", subject_id=invitee_id, at=at, proposal=str(row.id),
        old=str(old or ""), new=str(inviter_id), reason=reason.strip(),
    )  # fmt: skip
    return row.id


@transaction.atomic
def confirm_rebind(*, proposal_id: UUID, by: Actor, at: datetime) -> None:
    """Carry a proposed correction out; earlier attributions and rewards stay as they were.

    *Refuses:* ``proposal_not_found``, ``same_person``, ``state_moved_on``, ``would_close_a_loop``.
    """
    row = RebindProposal.objects.filter(id=proposal_id).first()
    if row is None:
        raise not_found(_("没有这份更正申请。"), code="proposal_not_found")
    if row.proposed_by == by.id:
        raise forbidden("same_person", _("提出和确认要由两个人来做。"))
    _alone()
    _lock_pair(row.invitee_id, row.new_inviter_id)
    if not RebindProposal.objects.filter(id=row.id, confirmed_at=None, declined_at=None).update(
        confirmed_by=by.id, confirmed_at=at
    ):
        raise conflict("state_moved_on", _("这份申请已经处理过了。"))
    if _ancestors_have(row.new_inviter_id, row.invitee_id):
        raise conflict("would_close_a_loop", _("这样会绕成一个圈。"), field="inviter", value=row.new_inviter_id)
    changed = Binding.objects.filter(invitee_id=row.invitee_id, inviter_id=row.old_inviter_id or row.invitee_id)
    if row.old_inviter_id is None:
        Binding.objects.bulk_create(
            [Binding(invitee_id=row.invitee_id, inviter_id=row.new_inviter_id, source="correction", at=at)]
        )
    elif not changed.update(inviter_id=row.new_inviter_id, source="correction", at=at):
        raise conflict("state_moved_on", _("绑定在申请之后又变了。"))
    audit.record(
        by=by, action="binding.confirm", subject_kind="member", subject_id=row.invitee_id, at=at,
        proposal=str(row.id), old=str(row.old_inviter_id or ""), new=str(row.new_inviter_id),
    )  # fmt: skip


@transaction.atomic
def decline_rebind(*, proposal_id: UUID, reason: str, by: Actor, at: datetime) -> None:
    """Lay a proposed correction aside; nothing changes. Whoever proposed it may take it back.

    *Refuses:* ``proposal_not_found``, ``reason_missing``, ``state_moved_on``.
    """
    row = RebindProposal.objects.filter(id=proposal_id).first()
    if row is None:
        raise not_found(_("没有这份更正申请。"), code="proposal_not_found")
    if len(reason.strip()) < 4:
        raise invalid("reason_missing", _("请写明搁下的理由。"), field="reason", value=reason, rule=_("至少 4 个字"))
    open_ = RebindProposal.objects.filter(id=row.id, confirmed_at=None, declined_at=None)
    if not open_.update(declined_by=by.id, declined_at=at, declined_why=reason.strip()[:400]):
        raise conflict("state_moved_on", _("这份申请已经处理过了。"))
    audit.record(
        by=by, action="binding.decline", subject_kind="member", subject_id=row.invitee_id, at=at, proposal=str(row.id),
        reason=reason.strip()[:400],
    )  # fmt: skip

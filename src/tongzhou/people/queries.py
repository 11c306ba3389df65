"""Reads of people: cards, roles, bindings, addresses."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from tongzhou.kit import selects
from tongzhou.kit.models import Claim
from tongzhou.kit.refusals import not_found
from tongzhou.people.models import Address, Binding, Consent, Member, RebindProposal, Role
from tongzhou.people.rules import mask_phone, normal_phone
from tongzhou.people.values import AddressValue, MemberCard

__all__ = ["mask_phone"]

_CARD = ("id", "display_name", "phone", "invite_code", "joined_at", "name_consent")


_owners: dict[str, UUID] = {}


def _card(row: tuple[Any, ...]) -> MemberCard:
    return MemberCard(row[0], row[1], mask_phone(row[2]), row[3], row[4], row[5])


def cards(ids: Iterable[UUID]) -> dict[UUID, MemberCard]:
    """Cards of several members in one query."""
    return {row[0]: _card(row) for row in Member.objects.filter(id__in=set(ids)).values_list(*_CARD)}


def account(member_id: UUID) -> Member:
    """The member as Django's sessions know one: for signing in. *Refuses:* ``member_not_found``."""
    row = Member.objects.filter(id=member_id, is_active=True).first()
    if row is None:
        raise not_found("member", code="member_not_found")
    return row


def card(member_id: UUID) -> MemberCard:
    """One member's card. *Refuses:* ``member_not_found``."""
    row = selects.one(Member, "t.id = %s", [member_id])
    if row is None:
        raise not_found("member", code="member_not_found")
    return _card(tuple(getattr(row, name) for name in _CARD))


def by_invite_code(code: str) -> MemberCard | None:
    """Whose invite code this is."""
    row = selects.one(Member, "t.invite_code = %s", [code.strip().upper()])
    return _card(tuple(getattr(row, name) for name in _CARD)) if row else None


def invite_owner(code: str) -> UUID | None:
    """The id alone. A code is given once and never again to anybody else, so what was found is remembered."""
    clean = code.strip().upper()
    found = _owners.get(clean)
    if found is None:
        card_found = by_invite_code(clean)
        if card_found is None:
            return None
        if len(_owners) >= 50_000:
            _owners.clear()
        found = _owners[clean] = card_found.id
    return found


def forget() -> None:
    """Drop what this process remembers; for tests that roll the database back."""
    _owners.clear()


def by_phone(phone: str) -> MemberCard | None:
    """The member of a phone; for operators and the CLI."""
    row = Member.objects.filter(login=normal_phone(phone) or phone).values_list(*_CARD).first()
    return _card(row) if row else None


def by_logins(logins: Sequence[str]) -> dict[str, UUID]:
    """login, or an importer's own key of a member → member id."""
    out: dict[str, UUID] = {}
    for start in range(0, len(logins), 500):
        part = logins[start : start + 500]
        keys = Claim.objects.filter(value__in=[f"member:{key}" for key in part]).values_list("value", "owner_id")
        out.update({value.removeprefix("member:"): owner for value, owner in keys if owner})
        out.update(Member.objects.filter(login__in=part).values_list("login", "id"))
    return out


def session_epoch(member_id: UUID) -> int | None:
    """What a token of this member must carry to be good; None when the member is unknown or closed."""
    row = selects.one(Member, "t.id = %s AND t.is_active", [member_id])
    return row.session_epoch if row else None


def logins_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """member → login, for files that leave the mall."""
    return dict(Member.objects.filter(id__in=set(ids)).values_list("id", "login"))


def listing(*, before: UUID | None = None, query: str = "", limit: int = 50) -> list[MemberCard]:
    """Members, newest first, keyset-paged by id; ``query`` = a full phone, an invite code or the start of a name."""
    rows = Member.objects.order_by("-id")
    if before:
        rows = rows.filter(id__lt=before)
    if query:
        phone = normal_phone(query)
        if phone:
            rows = rows.filter(login=phone)
        elif by_invite_code(query):
            rows = rows.filter(invite_code=query.strip().upper())
        else:
            rows = rows.filter(display_name__startswith=query.strip())
    return [_card(row) for row in rows.values_list(*_CARD)[:limit]]


def full_phone(member_id: UUID) -> str:
    """The whole number; whoever shows it records that in the audit trail."""
    return Member.objects.filter(id=member_id).values_list("phone", flat=True).first() or ""


def roles(member_id: UUID) -> frozenset[str]:
    """Console roles of a member; empty for nearly everybody."""
    return frozenset(Role.objects.filter(member_id=member_id).values_list("role", flat=True))


def operators() -> dict[UUID, set[str]]:
    """Everybody with a console role."""
    out: dict[UUID, set[str]] = {}
    for member, role in Role.objects.values_list("member_id", "role"):
        out.setdefault(member, set()).add(role)
    return out


def operator_passwords() -> list[tuple[str, str]]:
    """(name, hashed password) of everybody with a console role, for `tongzhou doctor` to compare with published ones."""
    return list(Member.objects.filter(id__in=Role.objects.values("member_id")).values_list("display_name", "password"))


def inviter_of(member_id: UUID) -> tuple[UUID, datetime] | None:
    """The bound inviter and when it was written."""
    return Binding.objects.filter(invitee_id=member_id).values_list("inviter_id", "at").first()


def inviters_of(ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """invitee → inviter for several members."""
    return dict(Binding.objects.filter(invitee_id__in=set(ids)).values_list("invitee_id", "inviter_id"))


def bindings_of(ids: Iterable[UUID]) -> dict[UUID, tuple[UUID, datetime]]:
    """invitee → (inviter, since) for many members."""
    wanted, out = sorted(set(ids)), {}
    for start in range(0, len(wanted), 500):
        rows = Binding.objects.filter(invitee_id__in=wanted[start : start + 500])
        out.update({i: (by, at) for i, by, at in rows.values_list("invitee_id", "inviter_id", "at")})
    return out


def inviters_as_of(pairs: Iterable[tuple[UUID, datetime]]) -> dict[tuple[UUID, datetime], UUID]:
    """(member, moment) → who had invited them by then, corrections undone that came later. Two queries.

    A correction overwrites when the first binding was written, so what it replaced counts from the beginning.
    """
    wanted = set(pairs)
    ids = {member for member, _at in wanted}
    if not ids:
        return {}
    now = bindings_of(ids)
    later: dict[UUID, list[tuple[datetime, UUID | None]]] = {}
    fixed = RebindProposal.objects.filter(invitee_id__in=ids).exclude(confirmed_at=None).order_by("confirmed_at")
    for member, old, when in fixed.values_list("invitee_id", "old_inviter_id", "confirmed_at"):
        if when is not None:
            later.setdefault(member, []).append((when, old))
    out: dict[tuple[UUID, datetime], UUID] = {}
    for member, at in wanted:
        undone = [old for when, old in later.get(member, ()) if when > at]
        bound, since = now.get(member, (None, at))
        inviter = undone[0] if undone else bound if since <= at else None
        if inviter is not None:
            out[member, at] = inviter
    return out


def bound_between(since: datetime, until: datetime) -> Iterator[tuple[UUID, datetime]]:
    """(inviter, when) of every binding written in [since, until), as a stream; a declared scatter."""
    rows = Binding.objects.filter(at__gte=since, at__lt=until).order_by("at", "invitee_id")
    return rows.values_list("inviter_id", "at").iterator(chunk_size=1000)


def invitees_of(member_id: UUID, *, limit: int = 100) -> "QuerySet[Binding]":
    """Whom a member invited, newest first."""
    return Binding.objects.filter(inviter_id=member_id).order_by("-at")[:limit]


def invitee_count(member_id: UUID) -> int:
    """How many people a member invited; it pays nothing and feeds no rank."""
    return Binding.objects.filter(inviter_id=member_id).aggregate(n=Count("invitee_id"))["n"] or 0


def invited_between(member_id: UUID, start: datetime, end: datetime, *, limit: int = 200) -> list[UUID]:
    """Whom a member invited in a stretch of time, at most ``limit``."""
    rows = Binding.objects.filter(inviter_id=member_id, at__gte=start, at__lt=end).order_by("at")
    return list(rows.values_list("invitee_id", flat=True)[:limit])


def corrections_of(ids: Iterable[UUID], since: datetime) -> dict[UUID, list[tuple[UUID, set[UUID], datetime]]]:
    """invitee → (new inviter, whose hands it went through, when) of bindings corrected by hand."""
    out: dict[UUID, list[tuple[UUID, set[UUID], datetime]]] = {}
    rows = RebindProposal.objects.filter(invitee_id__in=set(ids), confirmed_at__gte=since)
    for row in rows:
        if row.confirmed_at:
            hands = {h for h in (row.proposed_by, row.confirmed_by) if h}
            out.setdefault(row.invitee_id, []).append((row.new_inviter_id, hands, row.confirmed_at))
    return out


def purposes_of(ids: Iterable[UUID], purpose: str) -> dict[UUID, bool]:
    """member → whether consent to a purpose stands; members who never decided are left out."""
    rows = Consent.objects.filter(member_id__in=set(ids), purpose=purpose).order_by("given_at", "id")
    return {member: withdrawn is None for member, withdrawn in rows.values_list("member_id", "withdrawn_at")}


def phones_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Whole phones of several members; for rules that hash them, never for a page."""
    return dict(Member.objects.filter(id__in=set(ids)).exclude(phone="").values_list("id", "phone"))


def rebind_proposals() -> "QuerySet[RebindProposal]":
    """Corrections waiting for a second person, oldest first."""
    return RebindProposal.objects.filter(confirmed_at=None, declined_at=None).order_by("proposed_at")


def rebinds_done(limit: int = 20) -> list[RebindProposal]:
    """Corrections that were carried out or declined, newest first."""
    return list(RebindProposal.objects.exclude(confirmed_at=None, declined_at=None).order_by("-id")[:limit])


def rebind_of(invitee_id: UUID) -> RebindProposal | None:
    """The correction of a member's binding that waits for a second person, if any."""
    return rebind_proposals().filter(invitee_id=invitee_id).first()


def _address(row: Address) -> AddressValue:
    return AddressValue(
        row.receiver, row.phone, row.code, row.province, row.city, row.county, row.street, row.detail, row.id,
        row.is_default,
    )  # fmt: skip


def addresses(member_id: UUID) -> list[AddressValue]:
    """A member's addresses, the default first."""
    rows = Address.objects.filter(member_id=member_id, deleted_at=None).order_by("-is_default", "-at")
    return [_address(row) for row in rows]


def address(member_id: UUID, address_id: UUID) -> AddressValue:
    """One of a member's own addresses. *Refuses:* ``address_not_found`` (also for somebody else's)."""
    row = Address.objects.filter(id=address_id, member_id=member_id, deleted_at=None).first()
    if row is None:
        raise not_found("address", code="address_not_found")
    return _address(row)


def consents(member_id: UUID) -> list[tuple[str, str, datetime]]:
    """What a member agreed to and did not take back: purpose, version, when."""
    rows = Consent.objects.filter(member_id=member_id, withdrawn_at=None).order_by("given_at", "purpose")
    return list(rows.values_list("purpose", "version", "given_at"))


def export(member_id: UUID) -> dict[str, Any]:
    """What people knows of a member, for the member's own copy (PIPL)."""
    row = Member.objects.get(id=member_id)
    inviter = inviter_of(member_id)
    return {
        "member": {
            "id": str(row.id), "phone": row.phone, "display_name": row.display_name, "invite_code": row.invite_code,
            "language": row.language, "joined_at": row.joined_at.isoformat(), "name_consent": row.name_consent,
        },
        "invited_by": {"member": str(inviter[0]), "at": inviter[1].isoformat()} if inviter else None,
        "addresses": [{**_plain(a), "line": a.line} for a in addresses(member_id)],
        "consents": [
            {"purpose": c.purpose, "version": c.version, "given_at": c.given_at.isoformat(),
             "withdrawn_at": c.withdrawn_at.isoformat() if c.withdrawn_at else None}
            for c in Consent.objects.filter(member_id=member_id).order_by("given_at")
        ],
    }  # fmt: skip


def _plain(a: AddressValue) -> dict[str, Any]:
    return {"receiver": a.receiver, "phone": a.phone, "code": a.code, "detail": a.detail, "default": a.is_default}

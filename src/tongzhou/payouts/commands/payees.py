"""Real names: kept once, encrypted, shown whole only with a reason that is written down; keys that change."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, clock
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import conflict, forbidden, invalid, not_found
from tongzhou.payouts import queries, vault
from tongzhou.payouts.commands.common import need_finance, need_reason
from tongzhou.payouts.models import OPEN, BankFile, Payee, Payout
from tongzhou.payouts.rails import usable
from tongzhou.payouts.vault import Details


@transaction.atomic
def register_payee(
    *, member_id: UUID, legal_name: str, account: str, born: str, by: Actor, at: datetime, rail: str = "",
    id_number: str = "",
) -> None:  # fmt: skip
    """Keep where a member's money goes, encrypted; asked for before the first payout only.

    *Refuses:* ``no_rail``, ``rail_not_open``, ``legal_name``, ``account``, ``born``, ``id_number``,
    ``payee_under_18`` (CN-AGE), ``payout_open`` (nobody changes the payee of a payout under way).
    """
    name, number = legal_name.strip(), id_number.replace(" ", "").upper()
    chosen = _rail(rail)
    if not 2 <= len(name) <= 40:
        raise invalid("legal_name", _("请写真实姓名。"), field="legal_name", value=legal_name, rule=_("2 到 40 个字"))
    details = Details(name, usable(chosen).check_account(account), born, number)
    _check_person(details, at)
    if Payout.objects.filter(member_id=member_id, status__in=OPEN).exists():
        raise conflict(
            "payout_open", _("还有一笔提现在处理，收款人现在不能改。"), field="payout", fix=_("等它有了结果再改。")
        )
    Payee.objects.bulk_create(
        [Payee(member_id=member_id, rail=chosen, sealed=vault.seal(details), key_tag=vault.key_tag(), at=at)],
        update_conflicts=True, unique_fields=["member_id"], update_fields=["rail", "sealed", "key_tag", "at"],
    )  # fmt: skip
    audit.record(by=by, action="payee.set", subject_kind="member", subject_id=member_id, at=at, rail=chosen)


def _rail(asked: str) -> str:
    open_ = queries.policy()
    if not open_.rails:
        raise conflict("no_rail", _("商城还没有开通打款通道；金额会一直保留。"), field="rail")
    if asked and asked not in open_.rails:
        raise invalid(
            "rail_not_open", _("这个打款通道没有开通。"), field="rail", value=asked, rule=", ".join(open_.rails)
        )
    return asked or open_.rail


def _check_person(details: Details, at: datetime) -> None:
    try:
        adult = vault.is_adult(details.born, clock.mall_day(at))
        if date.fromisoformat(details.born) < date(1900, 1, 1):
            raise ValueError
    except ValueError:
        raise invalid("born", _("出生日期不对。"), field="born", value=details.born, rule="YYYY-MM-DD") from None
    if details.id_number and not vault.id_fits(details.id_number, details.born):
        raise invalid(
            "id_number", _("身份证号不对。"), field="id_number", value="…" + details.id_number[-2:],
            rule=_("18 位，校验码正确，并与出生日期一致；也可以不填"),
        )  # fmt: skip
    if not adult:
        raise forbidden(
            "payee_under_18", _("未满 18 岁不能提现；金额会一直保留。"), field="born", value=details.born, rule="CN-AGE"
        )


@transaction.atomic
def reveal_payee(*, member_id: UUID, reason: str, by: Actor, at: datetime) -> Details:
    """A payee whole, for finance and with a reason; the look is written down in the same transaction.

    *Refuses:* ``not_allowed``, ``reason_missing``, ``payee_missing``, ``payee_unreadable``.
    """
    need_finance(by)
    why = need_reason(reason)
    row = Payee.objects.filter(member_id=member_id).first()
    if row is None:
        raise not_found(_("这位会员没有收款人资料。"), code="payee_missing")
    audit.record(by=by, action="payee.unmask", subject_kind="member", subject_id=member_id, at=at, reason=why)
    return vault.unseal(row.sealed)


def rotate_keys(*, limit: int = 500) -> int:
    """Re-encrypt one batch of what lies under an older key; returns how many rows were looked at (0 = all done).

    Rows carry the tag of their key, so a rotation that was interrupted goes on where it was, and the old key may be
    removed from ``TONGZHOU_DATA_KEYS`` once nothing is left. A row changed meanwhile is left to its writer, who used
    the newest key. *Refuses:* ``payee_unreadable`` when a row's key is no longer listed.
    """
    tag, seen = vault.key_tag(), 0
    models: tuple[Any, ...] = (Payee, BankFile)
    for model in models:
        rows = list(model.objects.exclude(key_tag=tag).order_by("pk")[: limit - seen])
        for row in rows:
            fresh = vault.seal_bytes(vault.unseal_bytes(row.sealed))
            same = model.objects.filter(pk=row.pk, key_tag=row.key_tag, sealed=bytes(row.sealed))
            same.update(sealed=fresh, key_tag=tag)
        seen += len(rows)
    return seen


def keys_left() -> int:
    """How many rows still lie under an older key."""
    tag = vault.key_tag()
    return Payee.objects.exclude(key_tag=tag).count() + BankFile.objects.exclude(key_tag=tag).count()

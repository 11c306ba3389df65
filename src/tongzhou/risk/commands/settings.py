"""Changing a setting: by an owner, with a reason, written to the audit trail."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import forbidden, invalid, not_found
from tongzhou.kit.transactions import command
from tongzhou.people import queries as people
from tongzhou.risk import policy
from tongzhou.risk.models import ChangedSetting


@command()
def change_setting(*, key: str, value: int, reason: str, by: Actor, at: datetime) -> bool:
    """Set one value; True when it changed. Verdicts given before stay as they were given.

    *Refuses:* ``not_allowed`` (owner), ``setting_unknown``, ``value_out_of_range``, ``thresholds_crossed``,
    ``reason_missing``.
    """
    if by.id is None or "owner" not in people.roles(by.id):
        raise forbidden("not_allowed", _("只有所有者可以改风控参数。"))
    found = policy.defaults().get(key)
    if found is None:
        raise not_found(_("没有这个参数。"), code="setting_unknown")
    if not found.low <= value <= found.high:
        raise invalid(
            "value_out_of_range", _("这个值超出了范围。"), field=key, value=value, rule=f"{found.low}–{found.high}"
        )
    p = dict(policy.in_force())
    old = p[key]
    p[key] = value
    if p["pay_below"] > p["review_from"]:
        raise invalid(
            "thresholds_crossed", _("“直接付”的分数不能高过“要复核”的分数。"), field=key, value=value,
            rule=f"pay_below {p['pay_below']} ≤ review_from {p['review_from']}",
        )  # fmt: skip
    if len(reason.strip()) < 4:
        raise invalid("reason_missing", _("请写明为什么改。"), field="reason", value=reason, rule=_("至少 4 个字"))
    if old == value:
        return False
    if value == found.default:
        ChangedSetting.objects.filter(key=key).delete()
    else:
        row = ChangedSetting(key=key, value=value, by_name=by.name[:80], at=at)
        ChangedSetting.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["key"], update_fields=["value", "by_name", "at"]
        )
    audit.record(
        by=by,
        action="risk.setting",
        subject_kind="risk",
        subject_id=key,
        at=at,
        old=old,
        new=value,
        reason=reason[:200],
    )
    return True

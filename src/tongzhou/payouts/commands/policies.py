"""Settings of payouts, changed by finance or owner: each checked against its bounds, all or none, written down."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.money import parse_major, plain
from tongzhou.kit.refusals import Kind, Refusal, invalid
from tongzhou.payouts import queries
from tongzhou.payouts.commands.common import need_finance
from tongzhou.payouts.models import PolicySetting
from tongzhou.payouts.policy import BY_CODE, Setting, policy
from tongzhou.payouts.rails import RAILS, usable


@transaction.atomic
def change_policy(*, changes: Mapping[str, str], by: Actor, at: datetime) -> int:
    """Change settings; ``changes`` holds what people typed (amounts in major units). Returns how many changed.

    *Refuses:* ``not_allowed``; ``settings_invalid`` with one error per field: ``setting_unknown``,
    ``setting_out_of_range``, ``rail_unknown``, ``rail_not_configured`` (naming what is missing), ``min_above_max``.
    """
    need_finance(by)
    errors: list[Refusal] = []
    values: dict[str, str] = {}
    for code, typed in changes.items():
        try:
            values[code] = _parse(code, typed)
        except Refusal as refusal:
            errors.append(refusal)
    before = {c: row.value for c, row in queries.changed_settings().items()}
    if not errors:
        errors = _together(before | values)
    if errors:
        raise Refusal("settings_invalid", _("有设置不能这样改。"), kind=Kind.INVALID, errors=errors)
    current = _current()
    fresh = {c: v for c, v in values.items() if v != current[c]}
    PolicySetting.objects.bulk_create(
        [PolicySetting(code=c, value=v, by_name=by.name[:80], at=at) for c, v in fresh.items()],
        update_conflicts=True, unique_fields=["code"], update_fields=["value", "by_name", "at"],
    )  # fmt: skip
    for code, value in fresh.items():
        audit.record(by=by, action="payout_setting.change", subject_kind="setting", subject_id=code, at=at,
                     before=current[code], after=value)  # fmt: skip
    return len(fresh)


def _current() -> dict[str, str]:
    """Each setting's value in force, as it is kept."""
    now = queries.policy()
    have = {code: row.value for code, row in queries.changed_settings().items()}
    defaults = {s.code: s.default for s in BY_CODE.values()}
    return defaults | {"min_minor": str(now.min_minor), "rails": ",".join(now.rails), "rail": now.rail} | have


def shown() -> list[tuple[Setting, str, PolicySetting | None]]:
    """Each setting with its value as people read and type it, and who changed it."""
    rows, current = queries.changed_settings(), _current()
    return [
        (s, plain(int(current[s.code]), settings.CURRENCY) if s.kind == "amount" else current[s.code], rows.get(s.code))
        for s in BY_CODE.values()
    ]


def _parse(code: str, typed: str) -> str:
    setting, text = BY_CODE.get(code), typed.strip()
    if setting is None:
        raise invalid("setting_unknown", _("没有这个设置。"), field=code, value=typed, rule=", ".join(BY_CODE))
    if setting.kind in ("rails", "rail"):
        names = [n.strip() for n in text.split(",") if n.strip()]
        for name in names:
            if name not in RAILS:
                raise invalid("rail_unknown", _("没有这个打款通道。"), field=code, value=name, rule=", ".join(RAILS))
            usable(name)
        return ",".join(dict.fromkeys(names))
    try:
        number = parse_major(text, settings.CURRENCY) if setting.kind == "amount" else int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= setting.high:
        top = plain(setting.high, settings.CURRENCY) if setting.kind == "amount" else str(setting.high)
        raise invalid("setting_out_of_range", _("数字不在范围里。"), field=code, value=typed, rule=f"0 – {top}")
    return str(number)


def _together(values: Mapping[str, str]) -> list[Refusal]:
    """Rules over several settings."""
    rails = "" if settings.TONGZHOU_ENV == "production" else "sandbox"
    after = policy(values, least=settings.PAYOUT_MIN_MINOR, rails=rails)
    out = []
    if after.max_minor and after.min_minor > after.max_minor:
        out.append(invalid("min_above_max", _("最低提现比单笔上限还高。"), field="min_minor", value=after.min_minor,
                           rule=f"≤ {after.max_minor}"))  # fmt: skip
    if values.get("rail") and values["rail"] not in after.rails:
        out.append(invalid("rail_not_open", _("默认通道要是开通的一个。"), field="rail", value=values["rail"],
                           rule=", ".join(after.rails)))  # fmt: skip
    return out

"""Short messages to people. One sandbox sender for now: it keeps what it "sent" for the demo's pages to show."""

from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.models import SentMessage
from tongzhou.kit.refusals import Kind, Refusal


class SmsSender(Protocol):
    """Sends one text to one phone number; raises when it is certain that it was not sent."""

    def send(self, *, to: str, text: str, at: datetime) -> None:
        """Send ``text`` to ``to`` (E.164 or a mainland number)."""


class SandboxSms:
    """Keeps the message in a table instead of sending it. *Refuses* (``sandbox_in_production``) in production."""

    def send(self, *, to: str, text: str, at: datetime) -> None:
        if settings.TONGZHOU_ENV == "production":
            raise Refusal("sandbox_in_production", _("正式环境没有配置短信服务。"), kind=Kind.UNAVAILABLE)
        SentMessage.objects.create(to=to, text=text, at=at)
        SentMessage.objects.filter(at__lt=at - timedelta(days=1)).delete()


SENDERS: dict[str, SmsSender] = {"sandbox": SandboxSms()}


def sms() -> SmsSender:
    """The configured sender (``TONGZHOU_SMS``)."""
    return SENDERS[settings.TONGZHOU_SMS]


def shown(to: str) -> str | None:
    """The newest sandbox message to a number, for the demo's pages; None outside the demo."""
    if settings.TONGZHOU_ENV == "production":
        return None
    return SentMessage.objects.filter(to=to).order_by("-at", "-id").values_list("text", flat=True).first()

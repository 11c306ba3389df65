"""Payees, payouts, the two people who let each go, files for the bank, settings, and what went to the tax office."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from tongzhou.kit.ids import new_id


class Payee(models.Model):
    """Where a member's money goes: name, account, number of the identity card, encrypted; asked for before the first
    payout only. ``key_tag`` says under which key, so that a rotation knows what is left to do."""

    placement: ClassVar[str] = "member"
    member_id = models.UUIDField(primary_key=True)
    rail = models.CharField(max_length=16, default="sandbox")
    sealed = models.BinaryField()
    key_tag = models.CharField(max_length=12, default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "payouts_payee"
        indexes = [models.Index(fields=["key_tag", "member_id"], name="payouts_payee_key")]


class Status(StrEnum):
    """A payout's life."""

    REQUESTED = "REQUESTED"
    CHECKED = "CHECKED"
    RELEASED = "RELEASED"
    SENT = "SENT"
    PAID = "PAID"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"  # paid, and sent back by the payee's bank


MOVES = {
    Status.REQUESTED: frozenset({Status.CHECKED, Status.REJECTED}),
    Status.CHECKED: frozenset({Status.RELEASED, Status.REJECTED}),
    Status.RELEASED: frozenset({Status.SENT}),
    Status.SENT: frozenset({Status.PAID, Status.FAILED}),
    Status.PAID: frozenset({Status.RETURNED}),
    Status.FAILED: frozenset[Status](),
    Status.REJECTED: frozenset[Status](),
    Status.RETURNED: frozenset[Status](),
}
OPEN = (Status.REQUESTED, Status.CHECKED, Status.RELEASED, Status.SENT)


class Payout(models.Model):
    """One payout of one member. ``net + tax + vat = gross``; the bill number never changes.

    ``fee_minor`` is what the rail charges the mall for it; the member never bears it. ``tax_rule`` is the table the
    tax was taken from, ``said`` the last thing the rail said that was not an answer.
    """

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member_id = models.UUIDField()
    bill_no = models.CharField(max_length=32, unique=True)
    rail = models.CharField(max_length=16)
    gross_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(default=0)
    vat_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)
    tax_year = models.PositiveSmallIntegerField(null=True)
    tax_months = models.PositiveSmallIntegerField(null=True)
    tax_rule = models.CharField(max_length=32, blank=True, default="")
    status = models.CharField(max_length=10, choices=[(s, s) for s in Status], default=Status.REQUESTED)
    reason = models.CharField(max_length=200, blank=True, default="")
    rail_txn = models.CharField(max_length=64, blank=True, default="")
    package = models.TextField(blank=True, default="")
    said = models.CharField(max_length=200, blank=True, default="")
    file_id = models.UUIDField(null=True)
    requested_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_payout"
        constraints = [
            models.CheckConstraint(
                condition=Q(gross_minor__gt=0, tax_minor__gte=0, vat_minor__gte=0, fee_minor__gte=0)
                & Q(gross_minor__gte=F("tax_minor") + F("vat_minor")),
                name="payouts_amounts",
            ),
            models.UniqueConstraint(
                fields=["member_id"],
                name="payouts_one_open",
                condition=Q(status__in=["REQUESTED", "CHECKED", "RELEASED", "SENT"]),
            ),
        ]
        indexes = [
            models.Index(fields=["member_id", "-id"], name="payouts_member"),
            models.Index(fields=["status", "id"], name="payouts_queue"),
            models.Index(fields=["file_id", "id"], name="payouts_file"),
            models.Index(fields=["tax_year", "member_id"], name="payouts_tax_year"),
        ]

    @property
    def net_minor(self) -> int:
        """What arrives."""
        return self.gross_minor - self.tax_minor - self.vat_minor


class Release(models.Model):
    """One of the two people who let a payout go."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="+")
    step = models.PositiveSmallIntegerField()
    by_id = models.UUIDField()
    by_name = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        db_table = "payouts_release"
        constraints = [
            models.UniqueConstraint(fields=["payout", "step"], name="payouts_release_step"),
            models.UniqueConstraint(fields=["payout", "by_id"], name="payouts_release_person"),
        ]


class DayTotal(models.Model):
    """What the whole mall released on one of its days; a conditional UPDATE keeps the daily limit under any race."""

    placement: ClassVar[str] = "reference"
    day = models.DateField(primary_key=True)
    released_minor = models.BigIntegerField(default=0)

    class Meta:
        db_table = "payouts_day_total"


class PolicySetting(models.Model):
    """One setting of payouts that an operator changed (``policy.SETTINGS`` says what each means)."""

    placement: ClassVar[str] = "reference"
    code = models.CharField(primary_key=True, max_length=40)
    value = models.CharField(max_length=100)
    by_name = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        db_table = "payouts_setting"


class FileStatus(StrEnum):
    """A bank file's life: made by one person, let go by another."""

    MADE = "MADE"
    RELEASED = "RELEASED"
    CANCELLED = "CANCELLED"


FILE_MOVES = {
    FileStatus.MADE: frozenset({FileStatus.RELEASED, FileStatus.CANCELLED}),
    FileStatus.RELEASED: frozenset[FileStatus](),
    FileStatus.CANCELLED: frozenset[FileStatus](),
}


class BankFile(models.Model):
    """A file of payouts for the bank, encrypted as it was made; its SHA-256 is what both people look at."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    status = models.CharField(max_length=10, choices=[(s, s) for s in FileStatus], default=FileStatus.MADE)
    sha256 = models.CharField(max_length=64)
    sealed = models.BinaryField()
    key_tag = models.CharField(max_length=12)
    count = models.PositiveIntegerField()
    net_minor = models.BigIntegerField()
    made_by = models.UUIDField()
    made_by_name = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    released_by_name = models.CharField(max_length=80, blank=True, default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_bank_file"
        indexes = [models.Index(fields=["key_tag", "id"], name="payouts_bank_file_key")]


class TaxDecision(models.Model):
    """A named sign-off of a tax rule that needs one (``vat_withholding``); the newest of a rule stands."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.CharField(max_length=32)
    decision = models.CharField(max_length=16)
    reason = models.CharField(max_length=300)
    by_id = models.UUIDField()
    by_name = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        db_table = "payouts_tax_decision"
        indexes = [models.Index(fields=["rule", "-id"], name="payouts_tax_decision_rule")]


class RemittanceStatus(StrEnum):
    """What is paid to the tax office for one month: prepared by one person, confirmed by another, then booked."""

    PREPARED = "PREPARED"
    CONFIRMED = "CONFIRMED"
    BOOKED = "BOOKED"
    CANCELLED = "CANCELLED"


REMITTANCE_MOVES = {
    RemittanceStatus.PREPARED: frozenset({RemittanceStatus.CONFIRMED, RemittanceStatus.CANCELLED}),
    RemittanceStatus.CONFIRMED: frozenset({RemittanceStatus.BOOKED}),
    RemittanceStatus.BOOKED: frozenset[RemittanceStatus](),
    RemittanceStatus.CANCELLED: frozenset[RemittanceStatus](),
}


class Remittance(models.Model):
    """One payment of withheld tax: the month it covers, its one reference, and the two people."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    month = models.DateField()
    reference = models.CharField(max_length=40, unique=True)
    status = models.CharField(
        max_length=10, choices=[(s, s) for s in RemittanceStatus], default=RemittanceStatus.PREPARED
    )
    withheld_minor = models.BigIntegerField()
    netted_minor = models.BigIntegerField()
    books = models.PositiveIntegerField()
    made_by = models.UUIDField()
    made_by_name = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    confirmed_by_name = models.CharField(max_length=80, blank=True, default="")
    booked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_remittance"
        constraints = [
            models.UniqueConstraint(
                fields=["month"], name="payouts_remittance_one", condition=Q(status__in=["PREPARED", "CONFIRMED"])
            )
        ]

    @property
    def paid_minor(self) -> int:
        """What leaves the bank: withheld less what the tax office owes back."""
        return self.withheld_minor - self.netted_minor


class RemittanceLine(models.Model):
    """One member's part: ``amount_minor`` leaves tax.withheld, ``netted_minor`` comes off receivable.tax."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    remittance = models.ForeignKey(Remittance, on_delete=models.PROTECT, related_name="+")
    member_id = models.UUIDField()
    amount_minor = models.BigIntegerField()
    netted_minor = models.BigIntegerField()
    booked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_remittance_line"
        constraints = [
            models.UniqueConstraint(fields=["remittance", "member_id"], name="payouts_remittance_member"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, netted_minor__gte=0), name="payouts_remittance_amounts"
            ),
        ]

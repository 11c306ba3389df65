"""The books' tables: append-only rows, and balances that only a posting changes."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from tongzhou.kit.ids import new_id


class Book(models.Model):
    """One party's book: member, guest, supplier, card or platform. Its id is the party's own id."""

    placement: ClassVar[str] = "book"
    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=10)

    class Meta:
        db_table = "ledger_book"


class Posting(models.Model):
    """Transfers that belong together. No personal data in any column."""

    placement: ClassVar[str] = "book"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    book_id = models.UUIDField()
    kind = models.CharField(max_length=40)
    reference = models.CharField(max_length=120)
    input_hash = models.CharField(max_length=64)
    story_id = models.UUIDField()
    effective_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    plan_version = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        db_table = "ledger_posting"
        constraints = [models.UniqueConstraint(fields=["book_id", "reference"], name="ledger_posting_reference")]
        indexes = [
            models.Index(fields=["recorded_at"], name="ledger_posting_recorded"),
            models.Index(fields=["story_id"], name="ledger_posting_story"),
        ]


class Transfer(models.Model):
    """Debit → credit, always balanced because it is one row."""

    placement: ClassVar[str] = "book"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    book_id = models.UUIDField()
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    story_id = models.UUIDField()
    seq = models.PositiveSmallIntegerField()
    debit = models.CharField(max_length=48)
    credit = models.CharField(max_length=48)
    amount = models.BigIntegerField()
    cites = models.UUIDField(null=True)
    reversed = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ledger_transfer"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_transfer_positive"),
            models.CheckConstraint(
                condition=Q(reversed__gte=0) & Q(reversed__lte=F("amount")), name="ledger_transfer_reversed"
            ),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="ledger_transfer_moves"),
        ]
        indexes = [models.Index(fields=["book_id", "story_id"], name="ledger_transfer_story")]


class AccountBalance(models.Model):
    """The running sums of one account of one book. ``normal`` is +1 for debit-normal, −1 for credit-normal.

    The CHECK is the backstop of law 5: a constrained account's normal side never falls below the other.
    """

    placement: ClassVar[str] = "book"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    book_id = models.UUIDField()
    account = models.CharField(max_length=48)
    normal = models.SmallIntegerField()
    constrained = models.BooleanField()
    debits = models.BigIntegerField(default=0)
    credits = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ledger_balance"
        constraints = [
            models.UniqueConstraint(fields=["book_id", "account"], name="ledger_balance_account"),
            models.CheckConstraint(
                condition=Q(constrained=False)
                | Q(normal=1, debits__gte=F("credits"))
                | Q(normal=-1, credits__gte=F("debits")),
                name="ledger_balance_constrained",
            ),
        ]
        indexes = [models.Index(fields=["account"], name="ledger_balance_by_account")]


class DaySeal(models.Model):
    """One sealed day: the hash of everything recorded that day, chained to the day before."""

    placement: ClassVar[str] = "local"
    day = models.DateField(primary_key=True)
    previous = models.CharField(max_length=64, blank=True, default="")
    digest = models.CharField(max_length=64)
    postings = models.BigIntegerField()
    transfers = models.BigIntegerField()
    amount = models.BigIntegerField()
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_seal"


class ProofRun(models.Model):
    """One run of every proof: what was looked at, and what did not hold."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    took_ms = models.PositiveIntegerField()
    transfers = models.BigIntegerField()
    postings = models.BigIntegerField()
    books = models.BigIntegerField()
    sealed_through = models.CharField(max_length=10, blank=True, default="")
    checks = models.JSONField(default=list)
    problems = models.JSONField(default=list)

    class Meta:
        db_table = "ledger_proof_run"
        indexes = [models.Index(fields=["-at"], name="ledger_proof_run_new")]


class MallCurrency(models.Model):
    """The one currency, fixed by the first posting."""

    placement: ClassVar[str] = "reference"
    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    code = models.CharField(max_length=3)

    class Meta:
        db_table = "ledger_currency"

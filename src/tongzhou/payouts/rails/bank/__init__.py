"""The bank rail: a CSV file that two people make and let go, and a results file that comes back."""

import re

from django.utils.translation import gettext_lazy as _

from tongzhou.payouts.rails.common import account_refused
from tongzhou.payouts.values import RailOutcome


class BankRail:
    """Carried by people: nothing here talks to a network (``bank/files.py`` writes and reads the files)."""

    name = "bank"
    title = _("银行转账")
    by_file = True
    can_return = True
    low_minor = 1
    high_minor = 0

    def missing(self) -> list[str]:
        """Nothing to configure."""
        return []

    def check_account(self, account: str) -> str:
        """8 to 32 digits (cards have 16 to 19; older and corporate accounts differ)."""
        number = re.sub(r"[\s-]", "", account)
        if not re.fullmatch(r"[0-9]{8,32}", number):
            raise account_refused(account, _("银行账号是 8 到 32 位数字"))
        return number

    def pay(self, *, bill_no: str, amount_minor: int, name: str, account: str) -> RailOutcome:
        """Never called: ``by_file``."""
        raise NotImplementedError("the bank is reached by file")

    def query(self, bill_no: str) -> RailOutcome | None:
        """Never called: ``by_file``."""
        raise NotImplementedError("the bank is reached by file")

"""The verbs of payouts. Money leaves only after two people; a rail is called only outside transactions."""

from tongzhou.kit.states import move
from tongzhou.payouts.commands.asking import reject, request
from tongzhou.payouts.commands.bank import cancel_file, download_file, import_results, make_file, release_file
from tongzhou.payouts.commands.carrying import ask, ask_again, mark_sent, notice, query_paid, query_sent, record, send
from tongzhou.payouts.commands.payees import keys_left, register_payee, reveal_payee, rotate_keys
from tongzhou.payouts.commands.policies import change_policy
from tongzhou.payouts.commands.releasing import reject_many, release, release_many
from tongzhou.payouts.commands.taxes import (
    book_remittances,
    cancel_remittance,
    confirm_remittance,
    decide_vat,
    prepare_remittance,
)
from tongzhou.payouts.models import MOVES, Payout, Status
from tongzhou.payouts.queries import has_open

__all__ = [
    "MOVES", "Payout", "Status", "ask", "ask_again", "book_remittances", "cancel_file", "cancel_remittance",
    "change_policy", "confirm_remittance", "decide_vat", "download_file", "has_open", "import_results", "keys_left",
    "make_file", "mark_sent", "move", "notice", "prepare_remittance", "query_paid", "query_sent", "record",
    "register_payee", "reject", "reject_many", "release", "release_file", "release_many", "request", "reveal_payee",
    "rotate_keys", "send",
]  # fmt: skip

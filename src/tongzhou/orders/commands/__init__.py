"""The verbs of orders."""

from tongzhou.orders.commands.cart import fill_cart, join_cart, remove_lines, set_cart_line, take_cart
from tongzhou.orders.commands.deliver import deliver, mark_shipped
from tongzhou.orders.commands.dispute import note_refused
from tongzhou.orders.commands.end import cancel, expire_due
from tongzhou.orders.commands.pair import pair_up
from tongzhou.orders.commands.place import place
from tongzhou.orders.commands.refund import refund
from tongzhou.orders.commands.settle import settle

__all__ = [
    "cancel",
    "deliver",
    "expire_due",
    "fill_cart",
    "join_cart",
    "mark_shipped",
    "note_refused",
    "pair_up",
    "place",
    "refund",
    "remove_lines",
    "set_cart_line",
    "settle",
    "take_cart",
]

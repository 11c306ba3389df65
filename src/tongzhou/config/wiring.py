"""Which fact wakes whom: the whole of it, on one page.

A handler takes its own room's values. Where the fact belongs to a room above the handler's, the
small functions here translate, so that no room imports one above it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tongzhou.kit import outbox, worker
from tongzhou.kit.outbox import Handler
from tongzhou.kit.worker import Periodic
from tongzhou.orders.events import LinesDelivered, LinesDisputed, LinesRefunded, OrderPaid


def _supplied(facts: "Sequence[OrderPaid | LinesDelivered | LinesRefunded | LinesDisputed]", at: datetime) -> None:
    """orders' snapshots → what each supplier has supplied."""
    from tongzhou.config.translate import supplied
    from tongzhou.suppliers import handlers

    handlers.on_supplied([part for fact in facts for part in supplied(fact)], at)


def install() -> None:
    """Register the wiring; called once when Django is ready."""
    from tongzhou.aftersale import handlers as aftersale
    from tongzhou.compliance import queries as compliance
    from tongzhou.ledger import queries as books
    from tongzhou.orders import proofs as sold
    from tongzhou.payments import handlers as payments
    from tongzhou.payments.events import RefundRequested, RefundSettled
    from tongzhou.payments.providers import PROVIDERS
    from tongzhou.payouts import handlers as payouts
    from tongzhou.payouts import proofs as out
    from tongzhou.payouts.events import PayoutReleased
    from tongzhou.payouts.rails import configured
    from tongzhou.rewards import handlers as rewards
    from tongzhou.rewards import proofs as earned
    from tongzhou.rewards.events import RewardsHeld
    from tongzhou.risk import handlers as risk

    for proof in (sold.orders_recomputed, sold.suppliers_owed, earned.rewards_recomputed, out.tax_reconciles,
                  out.payouts_in_transit):  # fmt: skip
        books.register(proof.__name__, proof)
    compliance.tell_rails(lambda: {*PROVIDERS, *configured()})
    apply = Handler("rewards.apply", rewards.on_order_facts, batch=64)
    supply = Handler("suppliers.supplied", _supplied, batch=64)
    ended = Handler("aftersale.lines_ended", aftersale.on_lines_ended, batch=64)
    outbox.register(
        {
            OrderPaid: [apply, Handler("risk.observe", risk.on_order_paid, batch=64)],
            LinesDelivered: [apply, supply],
            LinesRefunded: [apply, supply, ended],
            LinesDisputed: [apply, supply, ended],
            RefundRequested: [Handler("payments.send_refund", payments.send_refund, external=True)],
            RefundSettled: [Handler("aftersale.refund_settled", aftersale.on_refund_settled)],
            RewardsHeld: [Handler("risk.assess", risk.on_rewards_held, batch=16)],
            PayoutReleased: [Handler("payouts.send", payouts.send, external=True)],
        }
    )


def periodic() -> list[Periodic]:
    """The jobs somebody must run, and how often."""
    from tongzhou.aftersale import tasks as aftersale
    from tongzhou.catalog import tasks as catalog
    from tongzhou.fulfilment import tasks as fulfilment
    from tongzhou.ledger import tasks as ledger
    from tongzhou.orders import tasks as orders
    from tongzhou.payouts import tasks as payouts
    from tongzhou.rewards import tasks as rewards
    from tongzhou.risk import tasks as risk

    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    return [
        Periodic("orders.expire_due", minute, orders.expire_due),
        Periodic("catalog.release_expired", minute, catalog.release_expired),
        Periodic("catalog.reindex_due", minute, catalog.reindex_due),
        Periodic("orders.query_pending", minute, orders.query_pending),
        Periodic("orders.pair_up", 24 * hour, orders.pair_up),
        Periodic("payouts.query_sent", minute, payouts.query_sent),
        Periodic("payouts.query_paid", hour, payouts.query_paid),
        Periodic("payouts.book_remittances", minute, payouts.book_remittances),
        Periodic("fulfilment.receive_due", hour, fulfilment.receive_due),
        Periodic("aftersale.time_out", hour, aftersale.time_out),
        Periodic("rewards.mature_due", 10 * minute, rewards.mature_due),
        Periodic("rewards.watch", hour, rewards.watch),
        Periodic("risk.look_again", hour, risk.look_again),
        Periodic("risk.nightly", 24 * hour, risk.nightly),
        Periodic("ledger.nightly", hour, ledger.nightly),
        Periodic("ledger.proof", hour, ledger.nightly_proof),
        Periodic("kit.reap", minute, lambda at: f"{worker.reap(at=at)} given back"),
        Periodic("kit.prune", hour, lambda at: f"{worker.prune(at=at)} pruned"),
    ]

"""Words of what runs by the clock: each job's name, how often it comes, and what it said of its last turn.

A job answers in one short English sentence; here each has a pattern, so that the sentence is read in the
language of the page. A test runs every job and holds its answer to its pattern.
"""

import re
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

JOBS: dict[str, Any] = {
    "orders.expire_due": _("关掉没按时付款的订单"),
    "orders.pair_up": _("数一数常一起买的商品"),
    "catalog.release_expired": _("放回没付款占着的库存"),
    "catalog.reindex_due": _("把搜索索引写新"),
    "orders.query_pending": _("问支付通道：没有消息的付款和退款"),
    "payouts.query_sent": _("问打款通道：在路上的提现"),
    "payouts.query_paid": _("问打款通道：到账后有没有被退回"),
    "payouts.book_remittances": _("把确认过的缴税记到账上"),
    "fulfilment.receive_due": _("发出 10 天没点收货的，自动确认"),
    "aftersale.time_out": _("售后到时间没人回的，按规则办"),
    "rewards.mature_due": _("等满天数的报酬转成可提"),
    "rewards.watch": _("合规监测：看昨夜的数"),
    "risk.look_again": _("风控：到期之前再看一遍"),
    "risk.nightly": _("风控：删掉到期的痕迹，学平常的样子"),
    "ledger.nightly": _("封昨天的账"),
    "ledger.proof": _("验账"),
    "kit.reap": _("收回停住的投递"),
    "kit.prune": _("清掉送完的投递"),
}

ANSWERS: dict[str, list[tuple[str, Any]]] = {
    "orders.pair_up": [(r"(\d+) pairs kept", _("留下 {0} 对"))],
    "orders.expire_due": [(r"(\d+) orders expired", _("关了 {0} 单"))],
    "catalog.reindex_due": [(r"(\d+) entries written", _("写了 {0} 条"))],
    "catalog.release_expired": [(r"(\d+) orders' holds released", _("放回了 {0} 单占的库存"))],
    "orders.query_pending": [(r"(\d+) payments settled by asking", _("问到 {0} 笔付款"))],
    "payouts.query_sent": [(r"(\d+) payouts ended", _("{0} 笔有了结果"))],
    "payouts.query_paid": [(r"(\d+) payouts returned", _("{0} 笔被退回"))],
    "payouts.book_remittances": [(r"(\d+) books remitted", _("记了 {0} 本"))],
    "fulfilment.receive_due": [(r"(\d+) orders received by time", _("确认了 {0} 单"))],
    "aftersale.time_out": [(r"(\d+) approved, (\d+) withdrawn by time", _("同意 {0} 个，关闭 {1} 个"))],
    "rewards.mature_due": [(r"(\d+) rewards matured", _("{0} 笔转成可提"))],
    "rewards.watch": [(r"(\d+) nights looked at", _("看了 {0} 夜"))],
    "risk.look_again": [(r"(\d+) looked at again, (\d+) holds over", _("再看了 {0} 笔，{1} 笔暂扣到期"))],
    "risk.nightly": [(r"(\d+) signals deleted, (\d+) categories", _("删了 {0} 条痕迹，学了 {1} 个分类"))],
    "ledger.nightly": [(r"(\d+) days sealed", _("封了 {0} 天"))],
    "ledger.proof": [
        (r"proved today already", _("今天验过了")),
        (r"waits until yesterday is sealed", _("等昨天封账")),
        (r"(\d+) transfers, every check holds", _("{0} 笔转账，每一项都对")),
        (r"(\d+) transfers, (\d+) problems", _("{0} 笔转账，{1} 个问题")),
    ],
    "kit.reap": [(r"(\d+) given back", _("收回 {0} 件"))],
    "kit.prune": [(r"(\d+) pruned", _("清掉 {0} 件"))],
}


def title(name: str) -> Any:
    """What a job is called, or its code when nobody has named it yet."""
    return JOBS.get(name, name)


def answer(name: str, text: str) -> str:
    """What a job said of its last turn, in the page's language; words nobody knows are shown as they are."""
    if not text:
        return gettext("还没有跑过")
    failed = re.fullmatch(r"failed: (\w+)", text)
    if failed:
        return gettext("没跑成，下一次再来（%(error)s）") % {"error": failed[1]}
    for pattern, words in ANSWERS.get(name, ()):
        found = re.fullmatch(pattern, text)
        if found:
            return str(words).format(*found.groups())
    return text

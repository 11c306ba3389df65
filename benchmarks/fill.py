"""Fills an empty mall for a benchmark through its own commands; run as ``python -m benchmarks.fill``.

Prints what the load client needs: SKUs, tokens of distinct buyers, codes of sharers, a visitor's cookies.
"""

import argparse
import csv
import json
import os
import random
import sys
from pathlib import Path

PLAN = """
code = "share-10"
name = "分享 10%"
settle_days = 15
lock_days = 30
[attribution]
model = "last_touch"
window_days = 7
[member_price]
discount_bp = 500
[[rewards]]
rate_bp = 1000
[caps]
payout_to_margin_bp = 5000
"""
SHELF = 25  # goods on one shelf: a list page of 24 and one more
HALL = 5  # shelves of one top category
TEXT = (
    "<p>清晨采，当天做，隔天发。</p><p>我们只写看得见的：产地、日期、重量、保存方法。不满意，七天内退，运费我们出。</p>"
    "<ul><li>净含量 500 克</li><li>保质期 180 天</li><li>常温保存</li></ul>"
)
ART = ("honey", "gaiwan", "apples", "desk-lamp", "drip-coffee", "clay-teapot", "grapes", "flower-tea")


def goods_file(path: Path, count: int) -> None:
    """``count`` published products of one SKU each, twenty-five to a shelf, in the mall's own format."""
    from tongzhou.catalog.imports.tongzhou import HEADER

    dice = random.Random(count)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        for i in range(count):
            price, shelf = dice.randrange(2000, 20000, 10), i // SHELF
            writer.writerow(
                {"slug": f"good-{i:05d}", "title": f"同舟好物 {i:05d} 号 山里的茶", "title_en": f"Good no. {i:05d}",
                 "subtitle": "今年的新货，产地直发", "subtitle_en": "This year's, straight from the growers",
                 "description": TEXT, "category": f"hall-{shelf // HALL:02d}/shelf-{shelf:03d}",
                 "category_name": f"馆 {shelf // HALL:02d}/货架 {shelf:03d}",
                 "category_name_en": f"Hall {shelf // HALL:02d}/Shelf {shelf:03d}", "supplier": "beitian", "supplier_name": "北田粮仓",
                 "status": "PUBLISHED", "option1_name": "规格", "option1_value": "500 克", "sku": f"SKU-{i:05d}",
                 "list_price": f"{price / 100:.2f}", "cost": f"{price / 200:.2f}", "on_hand": "1000000",
                 "picture": f"drawn:tz/art/goods/{ART[i % len(ART)]}.svg", "picture_alt": "同舟好物"}
            )  # fmt: skip


def members_file(path: Path, count: int) -> None:
    """``count`` members without inviter."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["member", "inviter", "joined_at", "name", "phone"])
        writer.writerows([f"m{i:06d}", "", "2026-01-01", f"会员 {i:06d}", ""] for i in range(count))


def cookies(slug: str, sku: str, code: str) -> str:
    """The cookies of a visitor who opened a share link and put one thing into the cart, through the real pages."""
    from django.test import Client

    browser = Client()
    browser.get(f"/s/{code}")
    browser.get(f"/products/{slug}")
    browser.post("/cart/lines", {"sku": sku, "quantity": "1", "add": "1"})
    kept = {name: morsel.value for name, morsel in browser.cookies.items()}
    if "tz_session" not in kept:
        raise SystemExit("the visitor has no session cookie; did the cart's form change?")
    return "; ".join(f"{k}={v}" for k, v in kept.items())


def main() -> None:
    """Fill and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fill")
    parser.add_argument("--skus", type=int, default=1000)
    parser.add_argument("--members", type=int, default=1000)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tongzhou.config.settings")
    import django

    django.setup()
    from tongzhou.api.tokens import issue
    from tongzhou.catalog import commands as catalog
    from tongzhou.catalog import queries as goods
    from tongzhou.kit import clock, worker
    from tongzhou.kit.actor import Actor
    from tongzhou.people import imports as people
    from tongzhou.people import queries as members
    from tongzhou.people.models import Member
    from tongzhou.plans import commands as plans
    from tongzhou.sharing import commands as sharing

    by, at, home = Actor("import", None, "benchmark"), clock.now(), Path(os.environ["TONGZHOU_HOME"])
    plans.import_plan(text=PLAN, by=by, at=at)
    plans.activate(code="share-10", by=by, at=at)
    goods_file(home / "goods.csv", options.skus)
    made = catalog.import_products(home / "goods.csv", "tongzhou", "beitian", False, by=by, at=at)
    sharers = max(20, options.members // 10)
    members_file(home / "members.csv", options.members + sharers)
    people.run(home / "members.csv", by=by, at=at)
    everybody = list(Member.objects.order_by("id").values_list("id", "invite_code"))
    skus = goods.sku_by_codes([f"SKU-{i:05d}" for i in range(options.skus)])
    if made.refused or len(skus) != options.skus or len(everybody) < options.members + sharers:
        raise SystemExit(f"the mall was not filled: {made.as_dict()}")
    link = sharing.make_link(member_id=everybody[0][0], product_id=None, at=at)
    worker.drain_local(at=at)
    slugs = [f"good-{i:05d}" for i in range(options.skus)]
    json.dump(
        {
            "skus": [str(s.id) for s in skus.values()], "slugs": slugs,
            "shelves": [f"shelf-{i:03d}" for i in range(options.skus // SHELF)],
            "codes": [code for _id, code in everybody[:sharers]],
            "tokens": [issue(who) for who, _code in everybody[sharers : sharers + options.members]],
            "cookie": cookies(slugs[0], str(skus["SKU-00000"].id), link.code),
            "address": {"receiver": "苏禾", "phone": "13900000672", "code": "330106109", "detail": "竞舟路 98 号 3 幢 502"},
            "sharer": members.card(everybody[0][0]).display_name,
        },
        sys.stdout,
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""What a benchmark asks a filled mall: ``python -m benchmarks.names`` prints member id → the importer's own key;
``… accrued FIRST LAST`` what was accrued for orders paid on those days, minor units.
"""

import json
import os
import sys
from datetime import date, timedelta


def main() -> None:
    """Answer."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tongzhou.config.settings")
    import django

    django.setup()
    from django.db.models import Sum

    from tongzhou.kit import clock
    from tongzhou.kit.models import Claim
    from tongzhou.orders.models import Order
    from tongzhou.rewards.models import Reward

    if sys.argv[1:2] == ["accrued"]:
        first, last = (date.fromisoformat(d) for d in sys.argv[2:4])
        days = (clock.day_start(first), clock.day_start(last + timedelta(days=1)))
        paid = Order.objects.filter(paid_at__gte=days[0], paid_at__lt=days[1]).values("id")
        sys.stdout.write(str(Reward.objects.filter(order_id__in=paid).aggregate(n=Sum("accrued_minor"))["n"] or 0))
        return
    keys = Claim.objects.filter(value__startswith="member:").values_list("owner_id", "value")
    json.dump({str(who): value.removeprefix("member:") for who, value in keys if who}, sys.stdout)


if __name__ == "__main__":
    main()

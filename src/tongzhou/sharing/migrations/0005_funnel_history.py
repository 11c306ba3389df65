"""What was opened before there were marks: people per link and day from the touches, machines set apart."""

from django.db import migrations

from tongzhou.kit import clock
from tongzhou.kit.ids import new_id


def fill(apps, schema_editor):
    link, touch, day_row, mark = (apps.get_model("sharing", n) for n in ("ShareLink", "Touch", "LinkDay", "FunnelMark"))
    seen, people, machines = set(), {}, {}
    for t in touch.objects.order_by("at").iterator(chunk_size=1000):
        day = clock.mall_day(t.at)
        if t.agent_class == "bot":
            machines[t.link_id, day] = machines.get((t.link_id, day), 0) + 1
        elif (t.link_id, day, t.visitor_id) not in seen:
            seen.add((t.link_id, day, t.visitor_id))
            people[t.link_id, day] = people.get((t.link_id, day), 0) + 1
    products = dict(link.objects.values_list("id", "product_id"))
    mark.objects.bulk_create(
        [
            mark(id=new_id(), link_id=where, day=day, visitor_id=who, kind="visit", product_id=products.get(where))
            for where, day, who in sorted(seen, key=str)
        ],
        batch_size=500,
    )
    for row in day_row.objects.iterator(chunk_size=1000):
        key = (row.link_id, row.day)
        bots = min(machines.get(key, 0), row.views)
        day_row.objects.filter(id=row.id).update(
            product_id=products.get(row.link_id), visitors=people.get(key, 0), bots=bots, views=row.views - bots
        )


class Migration(migrations.Migration):
    dependencies = [("sharing", "0004_funnel")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

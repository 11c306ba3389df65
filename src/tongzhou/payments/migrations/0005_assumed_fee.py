from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0004_disputes'),
    ]

    operations = [
        migrations.AddField(
            model_name='dispute',
            name='assumed_fee_minor',
            field=models.BigIntegerField(null=True),
        ),
    ]

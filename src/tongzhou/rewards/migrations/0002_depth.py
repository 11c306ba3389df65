from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rewards', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='reward',
            name='depth',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='reward',
            name='story_id',
            field=models.UUIDField(null=True),
        ),
        # Until now every reward was the sharer's own, told under its line's id.
        migrations.RunSQL('UPDATE rewards_reward SET story_id = line_id', migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='reward',
            name='story_id',
            field=models.UUIDField(),
        ),
        migrations.AlterField(
            model_name='reward',
            name='line_id',
            field=models.UUIDField(),
        ),
        migrations.AddConstraint(
            model_name='reward',
            constraint=models.UniqueConstraint(fields=('line_id', 'depth'), name='rewards_line_depth'),
        ),
    ]

"""The index of search: an FTS5 table on SQLite, tsvector columns under GIN on PostgreSQL."""

from django.db import migrations

from tongzhou.catalog.search import postgres, sqlite


def create(apps, schema_editor):
    made = {"sqlite": sqlite.CREATE, "postgresql": postgres.CREATE}[schema_editor.connection.vendor]
    for statement in made.split(";"):
        if statement.strip():
            schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE catalog_search")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]

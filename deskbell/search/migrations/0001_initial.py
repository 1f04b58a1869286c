from django.db import migrations, models

# The ascii tokenizer takes every character outside ASCII as part of a word and knows only the
# blanks that we put between words, so FTS5 sees exactly the words that PostgreSQL sees.
SQLITE = [
    """
CREATE VIRTUAL TABLE search_text USING fts5(
  words, content='search_entry', content_rowid='id', columnsize=0,
  tokenize="ascii tokenchars ':_.='")
""",
    """
CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN
  INSERT INTO search_text(rowid, words) VALUES (new.id, new.words);
END
""",
    """
CREATE TRIGGER search_entry_removed AFTER DELETE ON search_entry BEGIN
  INSERT INTO search_text(search_text, rowid, words) VALUES ('delete', old.id, old.words);
END
""",
    """
CREATE TRIGGER search_entry_changed AFTER UPDATE ON search_entry BEGIN
  INSERT INTO search_text(search_text, rowid, words) VALUES ('delete', old.id, old.words);
  INSERT INTO search_text(rowid, words) VALUES (new.id, new.words);
END
""",
    "CREATE INDEX search_word_word ON search_word (word)",
    "CREATE INDEX search_word_stem ON search_word (stem, word)",
]

# A short pending list: every search reads it.
POSTGRESQL = [
    """
CREATE INDEX search_entry_text ON search_entry
 USING gin (array_to_tsvector(string_to_array(btrim(words), ' ')))
 WITH (gin_pending_list_limit = 512)
""",
    'ALTER TABLE search_word ALTER COLUMN word TYPE varchar(200) COLLATE "C"',
    'ALTER TABLE search_word ALTER COLUMN stem TYPE varchar(200) COLLATE "C"',
    "CREATE INDEX search_word_word ON search_word (word)",
    "CREATE INDEX search_word_stem ON search_word (stem, word)",
]


def make(apps, schema_editor):
    statements = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement, params=None)


def unmake(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for name in ("added", "removed", "changed"):
            schema_editor.execute(f"DROP TRIGGER search_entry_{name}", params=None)
        schema_editor.execute("DROP TABLE search_text", params=None)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("article_id", models.BigIntegerField(null=True)),
                ("words", models.TextField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("article_id__isnull", False)),
                        fields=["article_id"],
                        name="search_entry_of_article",
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="Word",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.CharField(max_length=200)),
                ("stem", models.CharField(max_length=200)),
            ],
        ),
        migrations.RunPython(make, unmake),
    ]

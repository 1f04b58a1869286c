from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0002_incoming")]

    operations = [
        migrations.AddField(
            model_name="mailchannel",
            name="watched_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]

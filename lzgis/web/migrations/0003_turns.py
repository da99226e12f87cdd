"""Jobs have a class by how long they are expected to take."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the class of a job."""

    dependencies: ClassVar[list[Any]] = [("web", "0002_versions_and_documents")]
    operations: ClassVar[list[Any]] = [migrations.AddField("job", "turn", models.IntegerField(default=1))]

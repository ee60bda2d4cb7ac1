"""Write the documents that describe the API."""

from typing import Any

from django.core.management.base import BaseCommand

from api.description import documents


class Command(BaseCommand):
    """Write docs/errors.md and docs/openapi.yaml; commit them with the change that altered them."""

    help = "Write docs/errors.md and docs/openapi.yaml from the code."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the documents."""
        for path, text in documents().items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            self.stdout.write(str(path))

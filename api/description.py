"""The documents that describe the API, made from the code; committed, and compared in the tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from drf_spectacular import generators, renderers, validation

from common.errors import DomainError

_HEAD = """# Errors

Every error is `application/problem+json` (RFC 9457). Act on `code`; `detail` says what is wrong with this request,
`errors` names the fields, `facts` holds numbers and states, `request_id` is what to quote when you ask us.
This table is made from the code by `manage.py describe_api`.

| code | status | what it means |
|---|---|---|
"""


def error_classes() -> list[type[DomainError]]:
    """Return every error of the service, by code."""
    import api.urls  # noqa: F401 (with the addresses come all services and their errors)

    return sorted(_below(DomainError), key=lambda kind: kind.code)


def _below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _below(child)


def errors_markdown() -> str:
    """Return the table of errors."""
    rows = [f"| `{kind.code}` | {kind.http_status} | {kind.title()} |" for kind in error_classes()]
    return _HEAD + "\n".join(rows) + "\n"


def openapi_yaml() -> str:
    """Return the OpenAPI document.

    Raises
    ------
    jsonschema.ValidationError
        When it is not valid OpenAPI 3.1.
    """
    generator: Any = generators.SchemaGenerator
    renderer: Any = renderers.OpenApiYamlRenderer
    validate: Any = validation.validate_schema
    document = generator().get_schema(request=None, public=True)
    validate(document)
    text: bytes = renderer().render(document, renderer_context={})
    return text.decode()


def documents() -> dict[Path, str]:
    """Return the text of each document by its place."""
    folder = Path(settings.BASE_DIR) / "docs"
    return {folder / "errors.md": errors_markdown(), folder / "openapi.yaml": openapi_yaml()}

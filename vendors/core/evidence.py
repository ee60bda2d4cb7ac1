"""Which kinds of work need papers, and which papers count."""

from typing import Final

LICENCE: Final = "professional_licence"
LANGUAGE: Final = "language_certificate"
IDENTITY: Final = "identity"
REGISTRATION: Final = "registration"
INSURANCE: Final = "insurance"
DATA_PROTECTION: Final = "data_protection"
KINDS: Final = (IDENTITY, REGISTRATION, INSURANCE, DATA_PROTECTION, LICENCE, LANGUAGE)

REGULATED_DOMAINS: Final = frozenset(
    {"medical", "dental", "radiology", "surgery", "legal", "law", "finance", "aviation"}
)
"""Domains in which a wrong label is a professional's error: labeling needs a professional's licence."""


DATA_CLASSES: Final = ("public", "internal", "personal", "medical")
"""How sensitive the records are."""
SENSITIVE: Final = frozenset({"personal", "medical"})
"""Data whose handling has to be proven."""


def needed_for(language: str, domain: str, data_class: str = "public") -> tuple[str, ...]:
    """Return the papers a capability needs.

    A licence in a regulated domain, a certificate for a language pair, proof of data protection for sensitive data.

    >>> needed_for("", "cars"), needed_for("fr>ja", "medical"), needed_for("", "", "personal")
    ((), ('professional_licence', 'language_certificate'), ('data_protection',))
    """
    needed = []
    if domain.lower() in REGULATED_DOMAINS:
        needed.append(LICENCE)
    if ">" in language:
        needed.append(LANGUAGE)
    if data_class in SENSITIVE:
        needed.append(DATA_PROTECTION)
    return tuple(needed)

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


def needed_for(language: str, domain: str) -> tuple[str, ...]:
    """Return the papers a capability needs: a licence in a regulated domain, a certificate for a language pair.

    >>> needed_for("", "cars"), needed_for("fr>ja", "medical")
    ((), ('professional_licence', 'language_certificate'))
    """
    needed = []
    if domain.lower() in REGULATED_DOMAINS:
        needed.append(LICENCE)
    if ">" in language:
        needed.append(LANGUAGE)
    return tuple(needed)

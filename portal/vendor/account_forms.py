"""What a vendor fills in about itself: kinds of work, prices, papers, terms, an objection."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet

from portal.customer.forms import currency_field, micro, price_field
from portal.customer.schema_fields import TYPES
from vendors.core.evidence import DATA_CLASSES, KINDS
from vendors.models import Capability
from vendors.services.documents import DocumentInput
from vendors.services.terms import AgreementTerms

if TYPE_CHECKING:
    _CapabilityChoice = forms.ModelChoiceField[Capability]
else:  # Django's own class takes no type argument
    _CapabilityChoice = forms.ModelChoiceField

_MONTH_MIN = 30 * 24 * 60


def _day(**options: Any) -> forms.DateTimeField:
    return forms.DateTimeField(widget=forms.DateTimeInput(attrs={"type": "date"}, format="%Y-%m-%d"), **options)


def _minutes(label: str, initial: int, least: int = 1) -> forms.IntegerField:
    return forms.IntegerField(min_value=least, max_value=_MONTH_MIN, initial=initial, label=f"{label}, minutes")


class WorkField(_CapabilityChoice):
    """One of the vendor's kinds of work, in words."""

    def label_from_instance(self, obj: Capability) -> str:
        """Return the kind of work as people say it."""
        return obj.words


class _OwnForm(forms.Form):
    """A form that knows the vendor's kinds of work."""

    def __init__(self, *args: Any, capabilities: QuerySet[Capability] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("capability")
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = capabilities


class RegisterForm(forms.Form):
    """An application to label for the market, or for the customer that sent an invitation."""

    name = forms.CharField(max_length=200)
    languages = forms.CharField(max_length=500, required=False, help_text="Codes with commas between: en, fr")
    regions = forms.CharField(max_length=500, required=False, help_text="Where your people work: DE, IN")
    invitation = forms.CharField(
        max_length=200,
        required=False,
        help_text="A customer's code makes you its private vendor; others do not see you.",
    )

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        given = self.cleaned_data
        lists = {
            name: [part.strip()[:16] for part in given[name].split(",") if part.strip()]
            for name in ("languages", "regions")
        }
        return {"name": given["name"], "invitation": given["invitation"] or None, **lists}


class CapabilityForm(_OwnForm):
    """A kind of work."""

    task_type = forms.ChoiceField(choices=TYPES, label="What is a label?")
    modality = forms.CharField(max_length=32, help_text="image, text, audio ...")
    language = forms.CharField(max_length=16, required=False)
    domain = forms.CharField(max_length=64, required=False)
    data_class = forms.ChoiceField(choices=[(name, f"{name} data") for name in DATA_CLASSES], label="How sensitive")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        return dict(self.cleaned_data)


class PriceForm(_OwnForm):
    """A price from a moment on."""

    capability = WorkField(Capability.objects.none(), label="Kind of work")
    price = price_field(label="A label costs")
    currency = currency_field()
    valid_from = _day(required=False, label="From (00:00 UTC)", help_text="Empty: now.")
    valid_until = _day(required=False, label="Until (00:00 UTC)", help_text="Empty: until a later price begins.")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        given = self.cleaned_data
        times = {"valid_from": given["valid_from"], "valid_until": given["valid_until"]}
        return {
            "capability_id": given["capability"].pk,
            "price_micro": micro(given["price"]),
            "currency": given["currency"],
            **times,
        }


class DocumentForm(_OwnForm):
    """A paper with its file."""

    kind = forms.ChoiceField(choices=[(kind, kind.replace("_", " ")) for kind in KINDS], label="Paper")
    number = forms.CharField(max_length=200, label="Number on it")
    file = forms.FileField(
        label="The file",
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/png,image/jpeg"}),
        help_text="PDF, PNG or JPEG. Staff read it; nobody else does.",
        error_messages={"required": "Choose the file of the paper.", "empty": "The file is empty."},
    )
    issued_at = _day(label="Issued on")
    expires_at = _day(required=False, label="Runs out on", help_text="Empty: never.")
    capability = WorkField(
        Capability.objects.none(), required=False, empty_label="all our work", label="For which work"
    )

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        given = {name: self.cleaned_data[name] for name in ("kind", "number", "issued_at", "expires_at")}
        work = self.cleaned_data["capability"]
        document = DocumentInput(**given, uri="", sha256="", capability_id=work.pk if work else None)
        return {"document": document, "chunks": self.cleaned_data["file"].chunks()}


class AgreementForm(_OwnForm):
    """The terms, signed by name."""

    accept_window_cost = _minutes("Answer when price counts, within", 30)
    accept_window_speed = _minutes("Answer when speed counts, within", 15)
    accept_window_accuracy = _minutes("Answer when accuracy counts, within", 30)
    min_batch = forms.IntegerField(min_value=1, max_value=100_000, initial=10, label="Smallest batch, records")
    max_concurrent = forms.IntegerField(min_value=1, max_value=10_000, initial=3, label="Batches at once")
    start_window = _minutes("Begin within", 60)
    base = _minutes("A batch takes besides its labels", 30, least=0)
    seconds_per_label = forms.FloatField(min_value=0.001, max_value=86_400, initial=30, label="A label takes, seconds")
    signed_by = forms.CharField(max_length=200, label="Signed by", help_text="Your name is the signature.")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the service; minutes become seconds."""
        given = dict(self.cleaned_data)
        minutes = ("accept_window_cost", "accept_window_speed", "accept_window_accuracy", "start_window", "base")
        seconds = {f"{name}_s": given.pop(name) * 60 for name in minutes}
        return {"terms": AgreementTerms(**given, **seconds)}


class AppealForm(_OwnForm):
    """An objection to the newest suspension, rejection or act of a rule."""

    text = forms.CharField(max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}), label="Why it is wrong")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        return dict(self.cleaned_data)


class NoFieldsForm(_OwnForm):
    """A button alone."""

    def arguments(self) -> dict[str, Any]:
        """Return no arguments."""
        return {}

"""What is filled in about rules."""

from typing import Any

from django import forms

from marketplace.core import rules as core
from marketplace.models import Rule

_MOST = 10**9


def _choices(table: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, one.words) for name, one in table.items()]


class RuleForm(forms.Form):
    """When a figure over somebody's answers is too low or too high, do something."""

    subject = forms.ChoiceField(choices=[(name, name) for name in core.SUBJECTS], label="Whose answers")
    collector = forms.ChoiceField(choices=_choices(core.COLLECTORS), label="Look at the")
    comparator = forms.ChoiceField(choices=[(sign, sign) for sign in core.COMPARATORS], label="When it is")
    threshold = forms.FloatField(help_text="A share is a number from 0 to 1.")
    min_n = forms.IntegerField(min_value=0, max_value=_MOST, initial=10, label="Answers needed to judge")
    window_answers = forms.IntegerField(
        min_value=0, max_value=_MOST, required=False, label="Only the last so many answers"
    )
    window_s = forms.IntegerField(min_value=0, max_value=_MOST, required=False, label="Only the last so many seconds")
    action = forms.ChoiceField(choices=_choices(core.ACTIONS), label="Then")
    duration_s = forms.IntegerField(
        min_value=0, max_value=_MOST, required=False, label="For so many seconds", help_text="A day has 86400."
    )

    def terms(self) -> core.Rule:
        """Return the rule stated."""
        return core.Rule(**{name: self.cleaned_data[name] for name in core.Rule.__dataclass_fields__})


class NewRuleForm(RuleForm):
    """A rule with its name."""

    name = forms.CharField(max_length=200)
    field_order = ("name",)


class ReversalForm(forms.Form):
    """Why an effect is taken back."""

    reason = forms.CharField(max_length=2000, help_text="The vendor reads it.")


def of_rule(rule: Rule) -> RuleForm:
    """Return the form filled with what a rule says."""
    return RuleForm(initial={name: getattr(rule, name) for name in core.Rule.__dataclass_fields__})

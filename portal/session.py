"""Sign in and sign out."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from common.services import sign_ins
from portal.pages import CSP

TOO_MANY = "too_many_tries"


def _address(request: HttpRequest) -> str:
    """Return where a request comes from; a proxy's header counts only when the settings name it."""
    header = settings.CLIENT_ADDRESS_HEADER
    return str(request.META.get(header or "REMOTE_ADDR", ""))[:100]


class SignInForm(AuthenticationForm):
    """E-mail address and password; equal words for both mistakes, so that nobody learns who has an account."""

    error_messages = {
        "invalid_login": "No account has this e-mail address and password.",
        "inactive": "This account is closed.",
    }

    def clean(self) -> dict[str, Any]:
        """Check the password, unless it has been wrong too often lately."""
        address = _address(self.request) if self.request else ""
        email = self.cleaned_data.get("username", "")
        if not sign_ins.may_try(email=email, address=address):
            minutes = int(sign_ins.WINDOW.total_seconds() // 60)
            detail = f"Too many tries. Wait {minutes} minutes, then try again, or ask us for a new password."
            raise forms.ValidationError(detail, code=TOO_MANY)
        try:
            return super().clean()
        except forms.ValidationError:
            sign_ins.failed(email=email, address=address)
            raise

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"
        self.fields["username"].widget.attrs |= {"inputmode": "email", "autocapitalize": "none"}


class SignIn(LoginView):
    """Start a session."""

    template_name = "portal/sign_in.html"
    authentication_form = SignInForm
    next_page = "portal:home"
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Answer 429 with the time to wait when there were too many tries."""
        response = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, TOO_MANY):
            response.status_code = 429
            response["Retry-After"] = str(int(sign_ins.WINDOW.total_seconds()))
        return response

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the headers of all pages."""
        response = super().dispatch(request, *args, **kwargs)
        response["Content-Security-Policy"] = CSP
        return response


class SignOut(LogoutView):
    """End the session; a link cannot do it, only the button."""

    next_page = "portal:sign-in"

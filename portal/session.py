"""Sign in and sign out."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from portal.pages import CSP


class SignInForm(AuthenticationForm):
    """E-mail address and password; equal words for both mistakes, so that nobody learns who has an account."""

    error_messages = {
        "invalid_login": "No account has this e-mail address and password.",
        "inactive": "This account is closed.",
    }

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

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the headers of all pages."""
        response = super().dispatch(request, *args, **kwargs)
        response["Content-Security-Policy"] = CSP
        return response


class SignOut(LogoutView):
    """End the session; a link cannot do it, only the button."""

    next_page = "portal:sign-in"

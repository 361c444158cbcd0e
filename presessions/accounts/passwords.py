"""Passwords that anybody would try first at this desk. Room: accounts.

Django refuses what is short, common, or like the person's own name; this refuses what is mostly made of ours.
"""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

OURS = (
    "permanentmission", "universalperiodicreview", "humanrights", "workinggroup", "presessions", "presession",
    "uprinfo", "password", "geneva", "geneve", "mission", "nations", "staff", "admin", "upr",
)  # fmt: skip
LEFT = 8  # letters and digits that a password must have besides them


class NotAboutUs:
    """A validator for AUTH_PASSWORD_VALIDATORS: takes our own words away and looks at what is left."""

    def validate(self, password, user=None):
        left = "".join(sign for sign in password.lower() if sign.isalnum())
        for word in OURS:
            left = left.replace(word, "")
        if len(left) < LEFT:
            raise ValidationError(_("This password is mostly made of words that anybody would try here first."))

    def get_help_text(self):
        return _("Leave out the words of our work, such as UPR, Geneva or mission.")

"""The sections about what would be said: issues, recommendations, and whose UPR submission it rests on."""

from crispy_forms.layout import Div, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from applications import rules
from applications.forms.base import ONLY_US, US_UNTIL_CONSENT, SectionForm, choice, hint, text
from applications.models import Application, Theme


class Offered(forms.models.ModelChoiceIterator):
    def __iter__(self):
        themes = self.field.offered
        yield from map(self.choice, themes) if themes is not None else super().__iter__()


class ThemesField(forms.ModelMultipleChoiceField):
    """Asks nobody where all themes have come with the application."""

    iterator, offered = Offered, None

    def _check_values(self, value):
        if self.offered is None:
            return super()._check_values(value)
        chosen = [theme for theme in self.offered if str(theme.pk) in set(map(str, value))]
        return chosen if len(chosen) == len(set(map(str, value))) else super()._check_values(value)  # it says why


class IssuesForm(SectionForm):
    section = "issues"
    title = _("What you would say")
    intro = _("Speakers have 5 to 7 minutes for questions and recommendations, not for presenting their institution.")
    themes = ThemesField(
        Theme.objects.all(),
        label=_("Themes"),
        required=False,
        help_text=hint(_("Each speaker of a meeting takes another theme."), ONLY_US),
        widget=forms.CheckboxSelectMultiple,
    )
    issues = text(_("The issues you would raise"), words=rules.ISSUES_WORDS, rows=8)
    follow_up = text(
        _("What has been done since the last review?"),
        about=_("What became of the recommendations that the State supported."),
        words=rules.ISSUES_WORDS,
        rows=6,
    )

    groups = (Layout("themes", "issues", "follow_up"),)
    missing_words = {
        "themes": _("Choose at least one theme."),
        "issues": _("Describe the issues you would raise."),
    }

    def __init__(self, *args, application, **kwargs):
        super().__init__(*args, application=application, **kwargs)
        self.fields["themes"].offered = getattr(application, "themes_offered", None)


class RecommendationsForm(SectionForm):
    section = "recommendations"
    title = _("Recommendations you would ask States to make")
    intro = _("One is enough, up to five are possible. Each must stand by itself: States take over single ones.")
    guide = "applications/_good_recommendations.html"
    recommendation_1 = text(
        _("First recommendation"), who=US_UNTIL_CONSENT, words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3
    )
    recommendation_2 = text(
        _("Second recommendation"), who=US_UNTIL_CONSENT, words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3
    )
    recommendation_3 = text(
        _("Third recommendation"), who=US_UNTIL_CONSENT, words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3
    )
    recommendation_4 = text(
        _("Fourth recommendation"), who=US_UNTIL_CONSENT, words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3
    )
    recommendation_5 = text(
        _("Fifth recommendation"), who=US_UNTIL_CONSENT, words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3
    )

    groups = (Layout(*[f"recommendation_{number}" for number in range(1, rules.RECOMMENDATIONS + 1)]),)
    missing_words = {"recommendation_1": _("Write at least one recommendation: who should do what, by when.")}


class SubmissionForm(SectionForm):
    section = "submission"
    title = _("Your UPR submission")
    submission_kind = choice(_("Whose submission is it?"), Application.SubmissionKind.choices)
    joint_submitters = text(
        _("If it is a joint submission: submitted by"), about=_("Names of the submitting organisations."),
        longest=1000, rows=3,
    )  # fmt: skip

    groups = (Layout("submission_kind", Div("joint_submitters", css_class="if-so")),)
    missing_words = {
        "submission_kind": _("Choose whether it is your own submission or a joint one."),
        "joint_submitters": _("Say who made the joint submission."),
    }

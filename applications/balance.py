"""What a panel looks like as a whole: who is on it and what they would speak about. It warns and never decides.

Room: applications; imports its models. static/desk/panel.js counts the same way while somebody composes.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from applications.models import Application, Speaker

Kind, Scope, Gender = Application.Kind, Application.Scope, Speaker.Gender


@dataclass(frozen=True)
class Voice:
    """One application as the balance counts it. Of one that is masked only the kind is known."""

    kind: str
    is_national: bool | None = None
    gender: str = ""
    themes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, application, *, masked):
        """application -- with its speakers and themes fetched"""
        if masked:
            return cls(application.kind)
        national = application.kind == Kind.NHRI or application.scope == Scope.NATIONAL
        speaker = application.speaker
        return cls(
            application.kind,
            national if application.kind else None,
            speaker.gender if speaker else "",
            frozenset(theme.slug for theme in application.themes.all()),
        )


@dataclass(frozen=True)
class Balance:
    """Counts of a panel, beside all who might sit on it."""

    speakers: int
    women: int
    gender_known: int
    nhris: int
    csos: int
    national: int
    uncovered: frozenset[str]  # slugs of themes that somebody would speak about, but nobody on this panel
    missing_nhri: bool  # one has applied and is not on the panel

    @property
    def warnings(self):
        """What may be worth a second look, by a code that a script knows too: {code: sentence}."""
        found = {
            "women": _("No woman is known to speak."),
            "nhri": _("The national human rights institution has applied and is not on the panel."),
            "cso": _("No civil society organisation is on the panel."),
            "national": _("Fewer than half of the speakers come from the State itself."),
        }
        true = {
            "women": self.speakers and not self.women,
            "nhri": self.missing_nhri,
            "cso": self.speakers and not self.csos,
            "national": self.national * 2 < self.speakers,
        }
        return {code: (words, bool(true[code])) for code, words in found.items()}


def balance(panel, everybody):
    """panel, everybody -- Voices"""
    covered = frozenset().union(*(voice.themes for voice in panel))
    named = frozenset().union(*(voice.themes for voice in everybody))
    nhris = sum(voice.kind == Kind.NHRI for voice in panel)
    return Balance(
        speakers=len(panel),
        women=sum(voice.gender == Gender.WOMAN for voice in panel),
        gender_known=sum(voice.gender not in ("", Gender.NOT_SAID) for voice in panel),
        nhris=nhris,
        csos=sum(voice.kind == Kind.CSO for voice in panel),
        national=sum(bool(voice.is_national) for voice in panel),
        uncovered=named - covered,
        missing_nhri=not nhris and any(voice.kind == Kind.NHRI for voice in everybody),
    )


FEW_MINUTES = 15  # left for questions: staff are warned


def warns_of_time(questions):
    return questions < FEW_MINUTES

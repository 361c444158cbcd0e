"""All questions of the form, to be prepared offline. Room: applications; imports forms.

Read from the forms themselves, so that what people prepare is what they are asked.
"""

from dataclasses import dataclass, field

from django import forms

from applications.forms import SECTION_FORMS, SendForm

MOST_LINES = 8


@dataclass(frozen=True)
class Question:
    label: str
    hint: str
    choices: list = field(default_factory=list)
    optional: bool = False
    tick: bool = False
    by_hand: bool = False  # answered in words, not by a choice or a file
    lines: tuple = ()  # to write on, on paper


@dataclass(frozen=True)
class Section:
    title: str
    intro: str
    guide: str
    groups: list  # [(legend or "", [Question])]


def sections():
    """Every section in the reader's language, as its page shows it."""
    return [
        _section(form.title, form.intro, form.guide, form.groups, form(application=None))
        for form in SECTION_FORMS.values()
    ]


def last_word():
    """What is asked right before sending."""
    return _question(SendForm(application=None)["understood"])


def _section(title, intro, guide, groups, form):
    told = [(getattr(group, "legend", None) or "", _fields(group, form)) for group in groups]
    return Section(title, intro, guide, [(legend, [_question(one) for one in fields]) for legend, fields in told])


def _fields(group, form):
    return [form[pointer.name] for pointer in group.get_field_names() if not form[pointer.name].is_hidden]


def _question(bound):
    asked = bound.field
    choices = [str(label) for _value, label in asked.choices] if isinstance(asked, forms.ChoiceField) else []
    tick = isinstance(asked, forms.BooleanField)
    by_hand = not choices and not tick and not isinstance(asked, forms.FileField)
    lines = min(asked.widget.attrs.get("rows", 1), MOST_LINES) if by_hand else 0
    return Question(
        label=bound.label,
        hint=bound.help_text,
        choices=choices,
        optional=not asked.required and not getattr(asked, "needed", False) and not tick,
        tick=tick,
        by_hand=by_hand,
        lines=tuple(range(lines)),
    )

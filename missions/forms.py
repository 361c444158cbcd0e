"""The forms of an invitation: an answer and a question for each meeting, delegates, a note; a colleague to pass it on
to; a new link. Room: missions."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from applications.forms.doors import EMAIL, AddressField, DoorForm
from missions.models import Answers, Reply, Said
from missions.rules import answers_offered, takes_answers

MOST_DELEGATES = 20
EMPTY_ROWS = 2


@dataclass(frozen=True)
class Row:
    """One meeting in the table: what it is, what may be answered, and what is saved."""

    meeting: Any
    answer: Any = None  # the bound radio buttons; None once the meeting takes no answers
    floor: Any = None  # the bound check box, at the meeting on the mission's own State
    question: Any = None  # the bound text; None at that meeting, where the mission has the floor
    saved: Any = None  # the Reply in the database, if any
    differs: bool = False  # what was typed is not what is saved
    asked: str = ""  # the question in the database
    asked_differs: bool = False


class AnswerForm(forms.Form):
    """An answer for each meeting that still takes one, and the note. Nothing is required: a later visit may add it."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    note = forms.CharField(
        label=_("Note to UPR Info"),
        help_text=_("For instance about access to the building. Only UPR Info’s staff read it."),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args, invitation, meetings, now, **kwargs):
        self.invitation, self.meetings = invitation, meetings
        self.open = [meeting for meeting in meetings if takes_answers(meeting, now)]
        self.saved = {reply.meeting_id: reply for reply in invitation.replies.select_related("colleague")}
        self.asked = {question.meeting_id: question.words for question in invitation.questions.all()}
        kwargs["initial"] = {"version": invitation.version, "note": invitation.note, **self._initial()}
        super().__init__(*args, **kwargs)
        for meeting in self.open:
            self.fields[answer_name(meeting)] = forms.ChoiceField(
                label=meeting.state.name, choices=self._offered(meeting), widget=forms.RadioSelect, required=False
            )
            if self._is_own(meeting):
                self.fields[floor_name(meeting)] = forms.BooleanField(
                    label=_("Our Mission wishes to take the floor at the opening, for two minutes"), required=False
                )
            else:
                self.fields[question_name(meeting)] = forms.CharField(
                    label=_("Private question to the panel on %(state)s") % {"state": meeting.state.name},
                    max_length=1000,
                    required=False,
                    widget=forms.Textarea(attrs={"rows": 3, "dir": "auto", "aria-describedby": "about_questions"}),
                )

    def _offered(self, meeting):
        """The answers that make sense there, and the one that was given when it still did."""
        saved = self.saved.get(meeting.pk)
        offered = answers_offered(meeting, self.invitation.series.format)
        return [one for one in Reply.Answer.choices if one[0] in offered or (saved and one[0] == saved.answer)]

    def _initial(self):
        initial = {question_name(meeting): self.asked.get(meeting.pk, "") for meeting in self.open}
        for meeting in self.open:
            saved = self.saved.get(meeting.pk)
            if saved:
                initial |= {answer_name(meeting): saved.answer, floor_name(meeting): saved.wants_floor}
        return initial

    def _is_own(self, meeting):
        return meeting.state.pk == self.invitation.mission.state_id

    def clean(self):
        for meeting in self.open:
            wants_floor = self.cleaned_data.get(floor_name(meeting))
            answer = self.cleaned_data.get(answer_name(meeting))
            if wants_floor and answer in ("", Reply.Answer.NO):
                self.add_error(
                    answer_name(meeting),
                    _("To take the floor at the meeting on %(state)s, say that your Mission will attend.")
                    % {"state": meeting.state.name},
                )
        return self.cleaned_data

    def said(self, delegates):
        """What was typed, as Answers; a meeting without an answer is left out."""
        replies = {
            meeting.pk: Said(self.cleaned_data[answer_name(meeting)], bool(self.cleaned_data.get(floor_name(meeting))))
            for meeting in self.open
            if self.cleaned_data[answer_name(meeting)]
        }
        questions = {
            meeting.pk: self.cleaned_data[question_name(meeting)]
            for meeting in self.open
            if question_name(meeting) in self.fields
        }
        return Answers(replies, delegates, self.cleaned_data["note"], questions)

    def too_late(self):
        """The meetings that somebody tried to answer differently after they had begun or been called off."""
        taken = {meeting.pk for meeting in self.open}
        return [meeting for meeting in self.meetings if meeting.pk not in taken and self._tried(meeting)]

    def _tried(self, meeting):
        """Whether what came with the form is another answer, or another question, than the saved one."""
        asked = self._question_typed(meeting)
        other = asked is not None and asked != self.asked.get(meeting.pk, "")
        return other or self._typed(meeting) not in (None, self._answer_saved(meeting))

    def _question_typed(self, meeting):
        """As it would be kept, or None."""
        typed = self.data.get(question_name(meeting))
        return typed and forms.CharField(required=False).clean(typed)

    def _typed(self, meeting):
        return self.data.get(answer_name(meeting))

    def _answer_saved(self, meeting):
        saved = self.saved.get(meeting.pk)
        return saved and saved.answer

    def rows(self):
        for meeting in self.meetings:
            saved = self.saved.get(meeting.pk)
            if meeting not in self.open:
                yield Row(meeting, saved=saved, asked=self.asked.get(meeting.pk, ""))
                continue
            floor, question = floor_name(meeting), question_name(meeting)
            yield Row(
                meeting,
                answer=self[answer_name(meeting)],
                floor=self[floor] if floor in self.fields else None,
                saved=saved,
                differs=self.is_bound and self._typed(meeting) != self._answer_saved(meeting),
                question=self[question] if question in self.fields else None,
                asked=self.asked.get(meeting.pk, ""),
                asked_differs=self.is_bound and (self._question_typed(meeting) or "") != self.asked.get(meeting.pk, ""),
            )


class DelegateForm(forms.Form):
    """One delegate; an empty line is nobody."""

    name = forms.CharField(label=_("Full name"), max_length=200, required=False)
    function = forms.CharField(label=_("Function"), max_length=200, required=False)
    meeting = forms.TypedChoiceField(label=_("For"), coerce=int, empty_value=None, required=False)

    def __init__(self, *args, meetings, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["meeting"].choices = [
            ("", _("All the meetings we attend")),
            *((meeting.pk, meeting.state.name) for meeting in meetings),
        ]

    def clean(self):
        name, function = self.cleaned_data.get("name"), self.cleaned_data.get("function")
        if not name and (function or self.cleaned_data.get("meeting")):
            self.add_error("name", _("Enter the delegate’s name, or empty the line."))
        return self.cleaned_data


class BaseDelegates(forms.BaseFormSet):
    def said(self):
        """(meeting's key or None for all, name, function) of each line that names somebody."""
        return tuple(
            (line["meeting"], line["name"], line["function"]) for line in self.cleaned_data if line.get("name")
        )


DelegateFormSet = forms.formset_factory(
    DelegateForm,
    formset=BaseDelegates,
    extra=EMPTY_ROWS,
    max_num=MOST_DELEGATES,
    absolute_max=MOST_DELEGATES,
    validate_max=True,
)


def answer_name(meeting):
    return f"answer_{meeting.state.pk}"


def floor_name(meeting):
    return f"floor_{meeting.state.pk}"


def question_name(meeting):
    return f"question_{meeting.state.pk}"


class PassOnForm(forms.Form):
    """A colleague of the mission who is to have a link of their own."""

    colleague_email = AddressField(label=_("Your colleague’s e-mail address"), max_length=254, error_messages=EMAIL)
    colleague_name = forms.CharField(
        label=_("Name"),
        max_length=200,
        required=False,
        help_text=_("So that you know later who answered. It does not stand in the mail."),
    )


class NewLinkForm(DoorForm):
    button = _("Send our link again")
    email = AddressField(
        label=_("The e-mail address that our letters go to"),
        max_length=254,
        error_messages=EMAIL,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

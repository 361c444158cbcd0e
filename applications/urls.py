"""Addresses of the public pages. Room: applications; stands under the language's prefix.

Nothing in an address tells who applies. The token of a personal link is the one secret, and its page has one button.
"""

from django.urls import path, re_path

from applications.rules import SECTIONS
from applications.views import (
    after,
    afterwards,
    calls,
    contacts,
    form,
    pack,
    questions,
    receipts,
    safety,
    seat,
    start,
    states,
    upload,
)
from applications.views.unlisted import unlisted

app_name = "applications"

SECTION = "|".join(SECTIONS)

urlpatterns = [
    path("", calls.home, name="home"),
    path("about/", calls.about, name="about"),
    path("privacy/", safety.privacy, name="privacy"),
    path("safety/", safety.safety, name="safety"),
    path("questions/", questions.questions, name="questions"),
    path("questions.txt", questions.as_text, name="questions_text"),
    path("states/", states.states, name="states"),
    re_path(r"^state/(?P<iso2>[A-Z]{2})/$", states.state, name="state"),
    path("series/", states.all_series, name="all_series"),
    path("<int:number>/", calls.series, name="series"),
    re_path(r"^(?P<number>\d{1,4})/(?P<iso2>[A-Z]{2})/$", calls.meeting, name="meeting"),
    path("<int:number>/pack/", pack.all_of_series, name="packs"),
    re_path(r"^(?P<number>\d{1,4})/(?P<iso2>[A-Z]{2})/pack/$", pack.page, name="pack"),
    re_path(r"^(?P<number>\d{1,4})/(?P<iso2>[A-Z]{2})/pack/all\.zip$", pack.download, name="pack_download"),
    re_path(r"^(?P<number>\d{1,4})/(?P<iso2>[A-Z]{2})/pack/(?P<key>[0-9a-f]{20})/$", pack.file, name="pack_file"),
    re_path(
        r"^(?P<number>\d{1,4})/(?P<iso2>[A-Z]{2})/recommendations/$", afterwards.recommendations, name="recommendations"
    ),
    re_path(r"^apply/(?P<number>\d{1,4})/(?P<iso2>[A-Z]{2})/$", start.start, name="start"),
    path("apply/sent/", start.link_sent, name="link_sent"),
    path("apply/lost-link/", start.lost_link, name="lost_link"),
    path("application/", form.tasks, name="tasks"),
    re_path(rf"^application/(?P<section>{SECTION})/$", form.section, name="section"),
    path("application/check/", form.check, name="check"),
    path("application/elsewhere/", form.elsewhere, name="elsewhere"),
    path("application/receipt/", after.receipt, name="receipt"),
    path("application/status/", after.status, name="status"),
    path("application/more/", after.more_given, name="more_given"),
    path("application/withdraw/", after.withdraw, name="withdraw"),
    path("application/erase/", after.erase, name="erase"),
    path("application/everything/", after.download, name="everything"),
    path("application/leave/", form.leave, name="leave"),
    path("application/upload/", upload.begin, name="upload"),
    re_path(r"^application/upload/(?P<key>[\w-]{1,64})/$", upload.piece, name="upload_piece"),
    path("application/seat/", seat.the_seat, name="seat"),
    path("application/seat/give-up/", seat.give_up, name="give_up"),
    path("application/speaker-change/", seat.speaker_change, name="speaker_change"),
    path("application/needs/", seat.needs, name="needs"),
    path("application/passport/", seat.passport, name="passport"),
    path("application/visa-letter/", seat.letter_for_visa, name="visa_letter"),
    path("application/statement/", seat.statement, name="statement"),
    path("application/fact-sheet/", seat.fact_sheet, name="fact_sheet"),
    path("application/publish/", seat.consent_again, name="consent_again"),
    path("application/feedback/", afterwards.feedback_page, name="feedback"),
    path("application/<str:token>/", unlisted(start.open_link), name="open"),
    path("receipt/", receipts.check, name="receipt_check"),
    path("contacts/", contacts.sign_up, name="contact_signup"),
    path("contacts/sent/", contacts.sent, name="contact_sent"),
    path("contacts/confirm/<str:token>/", unlisted(contacts.confirm), name="contact_confirm"),
    path("contacts/leave/<str:token>/", unlisted(contacts.leave), name="contact_leave"),
]

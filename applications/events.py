"""What happened to an application, in words: code of an event -> what a person reads. Room: applications."""

from django.utils.translation import gettext_lazy as _

from presessions.trail import words

EVENTS = {
    "begun": _("begun"),
    "received_by_email": _("received by e-mail, entered by staff"),
    "saved_institution": _("institution saved"),
    "saved_speaker": _("speaker saved"),
    "saved_replacement": _("replacement saved"),
    "saved_issues": _("issues and recommendations saved"),
    "saved_recommendations": _("recommendations saved"),
    "saved_submission": _("kind of submission saved"),
    "saved_safety": _("safety and consent saved"),
    "attached_upr_submission": _("UPR submission attached"),
    "file_checked": _("file checked and cleaned"),
    "file_refused": _("file refused"),
    "attached_statement": _("statement handed in"),
    "attached_fact_sheet": _("fact sheet handed in"),
    "submitted": _("submitted"),
    "withdrawn": _("withdrawn"),
    "assessed": _("assessed"),
    "abstained": _("abstained from assessing"),
    "prepared_accept": _("prepared: accept"),
    "prepared_waitlist": _("prepared: waiting list"),
    "prepared_decline": _("prepared: decline"),
    "prepared_nothing": _("prepared answer taken back"),
    "released_accept": _("answer released: accepted"),
    "released_waitlist": _("answer released: waiting list"),
    "released_decline": _("answer released: declined"),
    "reversed_accept": _("answer changed: accepted"),
    "reversed_waitlist": _("answer changed: waiting list"),
    "reversed_decline": _("answer changed: declined"),
    "more_asked": _("asked for more information"),
    "more_taken_back": _("question taken back"),
    "more_given": _("question answered"),
    "late_allowed": _("more time for this one alone"),
    "seat_confirmed": _("seat confirmed"),
    "seat_given_up": _("seat given up"),
    "speaker_replaced": _("speaker replaced"),
    "saved_needs": _("practical needs saved"),
    "saved_passport": _("passport saved"),
    "passport_read": _("passport read"),
    "visa_letter_made": _("letter for a visa made"),
    "needs_forgotten": _("practical needs erased"),
    "cleared": _("what may be published answered anew"),
    "everything_downloaded": _("everything downloaded by the applicant"),
    "organisation_split": _("given an organisation of its own in the register"),
    "erased": _("erased"),
    "document_read": _("document read"),
    "security_note_read": _("private security note read"),
    "marked_at_risk": _("marked as at risk: masked for all"),
    "unmarked_at_risk": _("not at risk any more: shown like others"),
    "revealed": _("revealed by a safety officer"),
    "hidden_again": _("masked again"),
    "opened_masked": _("page opened, masked"),
    "opened_revealed": _("page opened, revealed"),
    "masked_refused": _("tried to read what is masked"),
    "found_by_address": _("found by its e-mail address"),
}
LOOKS = (
    "passport_read", "visa_letter_made", "everything_downloaded", "document_read", "security_note_read", "revealed",
    "opened_masked", "opened_revealed", "masked_refused", "found_by_address",
)  # fmt: skip

words.give("applications", EVENTS, looks=LOOKS)
words.give(
    "applications.organisation",
    {
        "entered": _("entered by hand"),
        "changed": _("changed"),
        "merged": _("merged: two of the register are one"),
        "split": _("one of its applications is of another one"),
        "deleted": _("deleted"),
    },
)
words.give(
    "upr.countrymeeting",
    {
        "panel_composed": _("panel saved"),
        "panel_promoted": _("first of the waiting list moved up"),
        "seat_freed": _("place on the panel or the waiting list became free"),
        "floor_asked": _("the State asks for the floor"),
        "floor_not_asked": _("the State no longer asks for the floor"),
        "answers_prepared": _("answers prepared as the panel says"),
        "agenda_published": _("agenda published"),
        "agenda_downloaded": _("agenda taken as a file"),
        "sheet_opened": _("moderator’s sheet opened"),
        "sheet_downloaded": _("moderator’s sheet taken as a file"),
    },
    looks=("agenda_downloaded", "sheet_opened", "sheet_downloaded"),
)
words.give("applications.call", {"opened": _("opened"), "meetings_included": _("further meetings included")})
words.give("applications", {"deadline_moved": _("deadline moved")})

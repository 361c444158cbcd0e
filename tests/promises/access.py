"""The access matrix of the staff's desk: which role gets an answer from which address. For test_c2_access_matrix.py.

A new page of the desk needs one line here, or that test is red:

    "applications_panel": "RVLSA",             GET, by the name of the address (admin:applications_panel)
    "POST applications_panel": "LA",           what it does
    "applications.Theme": ("RVLSA", "LA", "LA", ""),    a list of Django's admin: look, add, change, delete

Not here, because they answer everybody: the ways in (presessions/accounts/doors.py). A stranger, staff who have given
the password alone and people who are not staff get nothing anywhere; the test says so of every line.
"""

LETTERS = {
    "R": "Reader",
    "V": "Reviewer",
    "L": "Series lead",
    "M": "Mission desk",
    "S": "Safety officer",
    "A": "Administrator",
}
EVERYBODY = "RVLMSA"
NOBODY = ""

# model: who may look, add, change, delete
MODELS = {
    "accounts.User": ("A", "A", "A", NOBODY),
    "accounts.Role": ("A", NOBODY, NOBODY, NOBODY),
    "trail.Event": ("SA", NOBODY, NOBODY, NOBODY),
    "upr.State": (EVERYBODY, NOBODY, NOBODY, NOBODY),
    "upr.WorkingGroupSession": (EVERYBODY, "LA", "LA", NOBODY),
    "upr.StateUnderReview": (EVERYBODY, NOBODY, "LA", NOBODY),
    "upr.Series": (EVERYBODY, "LA", "LA", NOBODY),
    "upr.CountryMeeting": (EVERYBODY, NOBODY, "LA", NOBODY),
    "mail.Mailing": (EVERYBODY, NOBODY, "LMA", NOBODY),
    "mail.Letter": ("LA", NOBODY, "LA", NOBODY),
    "mail.Report": ("LA", NOBODY, "LA", NOBODY),
    "mail.Alarm": (EVERYBODY, NOBODY, "LMA", NOBODY),
    "applications.Application": ("RVLSA", NOBODY, "RVLSA", NOBODY),  # a POST only looks: steps have their addresses
    "applications.Call": ("RVLSA", "LA", "LA", NOBODY),
    "applications.StateCall": ("RVLSA", NOBODY, "LA", NOBODY),
    "applications.Theme": ("RVLSA", "LA", "LA", NOBODY),
    "applications.Contact": ("LA", "LA", NOBODY, NOBODY),
    "applications.Organisation": ("RVLSA", "LA", "LA", NOBODY),  # deleted only while no application hangs on it
    "missions.PermanentMission": (EVERYBODY, "MA", "MA", NOBODY),
    "missions.Invitation": (EVERYBODY, NOBODY, "MA", NOBODY),
    "missions.Reply": (EVERYBODY, NOBODY, NOBODY, NOBODY),
    "missions.MissionTask": ("LMA", NOBODY, "MA", NOBODY),
    "missions.RegisterCheck": ("MA", NOBODY, "MA", NOBODY),
    "missions.DoorNote": ("LMA", NOBODY, NOBODY, NOBODY),  # on the day itself: the door list
    "missions.FloorQuestion": ("LMA", NOBODY, NOBODY, NOBODY),
}

PAGES = {
    # the desk itself
    "index": EVERYBODY,
    "app_list": EVERYBODY,
    "autocomplete": NOBODY,  # no field asks for it
    "jsi18n": EVERYBODY,
    "view_on_site": EVERYBODY,
    "password_change": EVERYBODY,
    "POST password_change": EVERYBODY,
    "password_change_done": EVERYBODY,
    "my_log_in": EVERYBODY,
    "POST my_log_in": EVERYBODY,
    "POST another_phone": EVERYBODY,
    "POST new_codes": EVERYBODY,
    "POST log_out_elsewhere": EVERYBODY,
    "trail_event_about": "SA",
    "retention": "SA",
    "POST retention": "SA",
    # people
    "POST accounts_reset_second_factor": "A",
    "POST accounts_log_out": "A",
    "POST accounts_send_link": "A",
    # calendar and series
    "upr_series_answers": EVERYBODY,
    "upr_reports": EVERYBODY,
    "POST upr_reports": "LMA",
    "upr_series_report": EVERYBODY,
    "POST upr_series_report": "LMA",
    "upr_series_published": EVERYBODY,
    "POST upr_series_published": "LMA",
    "upr_meeting_report": EVERYBODY,
    "POST upr_meeting_report": "LMA",
    "upr_series_set_up_session": "LA",
    "POST upr_series_set_up_session": "LA",
    "upr_series_set_up": "LA",
    "upr_series_set_up_plan": "LA",
    "POST upr_series_set_up_plan": "LA",
    "upr_series_close": "LA",
    "POST upr_series_close": "LA",
    "POST upr_series_reopen": "LA",
    "upr_meeting_off": "LA",
    "POST upr_meeting_off": "LA",
    "upr_meeting_move": "LA",
    "POST upr_meeting_move": "LA",
    "upr_meeting_tell": "LA",
    "POST upr_meeting_tell": "LA",
    "upr_series_tell": "LA",
    "POST upr_series_tell": "LA",
    "upr_meeting_extend": "LA",
    "POST upr_meeting_extend": "LA",
    # mail
    "mail_letter_html": "LA",
    "POST mail_switch": "LMA",
    "mail_mailing_as_on": EVERYBODY,
    "mail_mailing_text": EVERYBODY,
    "mail_text": "LMA",
    "POST mail_text": "LMA",
    "mail_text_html": "LMA",
    "mail_restored": EVERYBODY,
    "POST mail_restored": "LMA",
    # applications: read and assess
    "applications_review": "VLSA",
    "applications_review_one": "VLSA",
    "POST applications_review_one": "VLSA",
    "POST applications_assess": "VLSA",
    "applications_document": "VLSA",
    "applications_document_text": "VLSA",
    "POST applications_security_note": "VLSA",
    "POST applications_passport": "VLSA",
    "applications_matrix": "RVLSA",
    "applications_figures": "RVLSA",
    "applications_figures_series": "RVLSA",
    "POST applications_figures_series": "LA",
    "applications_organisation_history": EVERYBODY,  # only leads on to the page of the row
    "applications_organisation_merge": "LA",
    "POST applications_organisation_merge": "LA",
    "POST applications_organisation_split": "LA",
    # applications: at risk
    "POST applications_mark_at_risk": "VLSA",
    "POST applications_unmark_at_risk": "S",
    "POST applications_reveal": "S",
    "POST applications_hide": "RVLSA",  # puts the mask back
    # applications: decide
    "applications_decisions_index": "RVLSA",
    "applications_decisions": "RVLSA",
    "POST applications_prepare": "LA",
    "POST applications_prepare_many": "LA",
    "POST applications_release": "LA",
    "applications_reverse": "LA",
    "POST applications_reverse": "LA",
    "applications_ask": "LA",
    "POST applications_ask": "LA",
    "POST applications_ask_back": "LA",
    "applications_late": "LA",
    "POST applications_late": "LA",
    "applications_late_allow": "LA",
    "POST applications_late_allow": "LA",
    "POST applications_erase": "LA",
    "applications_enter": "LA",
    "POST applications_enter": "LA",
    "POST applications_enter_go_on": "LA",
    "POST applications_enter_stop": EVERYBODY,  # of one's own browser
    # panels and agendas
    "applications_panels": "RVLSA",
    "applications_panel": "RVLSA",
    "POST applications_panel": "LA",
    "POST applications_panel_promote": "LA",
    "POST applications_panel_prepare": "LA",
    "applications_agenda": "RVLSA",
    "POST applications_agenda_publish": "LA",
    "applications_agenda_file": "RVLSA",
    "applications_sheet": "LA",
    "POST applications_sheet_file": "LA",
    "applications_screen": "RVLSA",
    # what became of recommendations, and what people say afterwards
    "applications_recommendations_index": "LA",
    "applications_recommendations": "LA",
    "POST applications_recommendations_join": "LA",
    "applications_recommendation_add": "LA",
    "POST applications_recommendation_add": "LA",
    "applications_recommendation": "LA",
    "POST applications_recommendation": "LA",
    "applications_recommendations_import": "LA",
    "POST applications_recommendations_import": "LA",
    "POST applications_recommendations_publish": "LA",
    "POST applications_recommendations_tell": "LA",
    "POST applications_recommendations_file": "LA",
    "upr_series_feedback": "LMA",
    "POST upr_series_feedback": "MA",
    # what leaves the house
    "applications_application_export": "LA",
    "POST applications_application_export": "LA",
    "applications_contact_export": "LA",
    "POST applications_contact_export": "LA",
    "missions_permanentmission_import": "MA",
    "POST missions_permanentmission_import": "MA",
    "missions_permanentmission_ask": "MA",
    "POST missions_permanentmission_ask": "MA",
    "missions_permanentmission_export": "MA",
    "POST missions_permanentmission_export": "MA",
    "missions_invitation_export": "MA",
    "POST missions_invitation_export": "MA",
    "missions_reply_export": "MA",
    "POST missions_reply_export": "MA",
    # on the day
    "missions_doors": "LMA",
    "missions_door": "LMA",
    "POST missions_door": "LMA",
    "POST missions_door_notes": "LMA",
    "missions_door_worker": "LMA",
    "missions_door_state": "LMA",
    "missions_door_paper": "LMA",
    "missions_door_paper_file": "LMA",
    "missions_door_correct": "LMA",
    "POST missions_door_correct": "LMA",
    # contacts
    "applications_contact_history": EVERYBODY,  # only leads on to the page of the row
    "applications_contact_import": "LA",
    "POST applications_contact_import": "LA",
}

# Pages that are not there for the row of the world, with those who would see them: GET answers 404.
NOT_OF_THIS_ROW = {
    "view_on_site": "no row of ours says where it stands on the public site",
    "applications_document_text": "the document is a PDF",
    "mail_text_html": "a draft of a text, made by a POST",
}
POSTED = {
    name: {"format": "xlsx"}
    for name in (
        "applications_figures_series",
        "upr_reports",
        "upr_series_report",
        "upr_series_published",
        "upr_meeting_report",
    )
}
POSTED |= {
    "applications_recommendations_file": {"format": "xlsx"},
    "upr_series_feedback": {"format": "xlsx", "half": "missions"},
}

"""The access matrix of everything outside the desk: who gets an answer from where. For test_c2_access_matrix.py.

A new address needs one line here, or that test is red:

    "applications:about": OPEN             GET; by its name. Everybody gets the same words, whoever asks
    "applications:tasks": OWN              only in a browser in which a form is open, and of that form alone
    "missions:invitation": BEHIND(…)       only with a token of one of these purposes in the address
    "live": MACHINE                        for programs: the same for all
    "styleguide": OFF                      not there, unless a setting says so

and a second one, "POST …", if something can be sent there. What is not listed for POST answers 405.
"""

from dataclasses import dataclass

OPEN, OWN, MACHINE, OFF = "open", "own", "machine", "off"


@dataclass(frozen=True)
class Behind:
    """Only whoever has a link of one of these purposes."""

    purposes: tuple


def BEHIND(*purposes):
    return Behind(purposes)


INVITED = BEHIND("invitation", "colleague")
PURPOSES = ("application", "contact_confirm", "leave", "invitation", "colleague", "register_check")


def named(room, names, who):
    return {f"{room}:{name}": who for name in names.split()}


def both(lines):
    """For GET and for POST."""
    return lines | {f"POST {name}": who for name, who in lines.items()}


TABLE = {
    **dict.fromkeys(("live", "ready", "health_mail", "security_txt", "robots_txt"), MACHINE),
    **named("feeds", "series meeting state", MACHINE),
    **dict.fromkeys(("styleguide", "metrics"), OFF),
    # what everybody may read
    **named("applications", "home about privacy safety questions questions_text states state all_series series", OPEN),
    **named("applications", "meeting packs pack pack_download pack_file recommendations", OPEN),
    # doors at which everybody may knock, and what stands behind them
    **both(named("applications", "start lost_link receipt_check contact_signup", OPEN)),
    **named("applications", "link_sent contact_sent", OPEN),
    **both(named("missions", "new_link", OPEN)),
    **named("missions", "new_link_sent", OPEN),
    "POST applications:leave": OPEN,  # closes what is open in this browser, if anything is
    # an applicant's own
    **both(named("applications", "tasks section check elsewhere receipt status more_given withdraw erase", OWN)),
    **both(named("applications", "everything seat give_up speaker_change needs passport visa_letter", OWN)),
    **both(named("applications", "statement fact_sheet consent_again feedback upload_piece", OWN)),
    "POST applications:upload": OWN,
    # personal links
    **both(named("applications", "open", BEHIND("application"))),
    **both(named("applications", "contact_confirm", BEHIND("contact_confirm"))),
    **both(named("applications", "contact_leave", BEHIND("leave"))),
    **both(named("missions", "register_check", BEHIND("register_check"))),
    **both(named("missions", "invitation feedback", INVITED)),
    **named("missions", "my_meetings all_meetings calendar packs pack pack_download pack_file", INVITED),
    "POST missions:pass_on": INVITED,
    "POST missions:close_colleague": INVITED,
}

# They answer, and yet there is nothing at the address with which the walk asks.
NOT_THERE = {
    "applications:pack_file": "no paper has that key",
    "missions:pack_file": "no paper has that key",
}

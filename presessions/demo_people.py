"""Whom the demonstration invents: organisations with something to say, and the people who would say it. Wiring.

Nobody here exists. What they say is the kind of thing that is said, about no State in particular.
"""

# name: kind, national or international, year, slugs of themes, issue, recommendation
ORGANISATIONS = {
    "Riverside Legal Aid": ("cso", "national", 1998, "justice torture-detention",
        "Two thirds of people in pre-trial detention have never met a lawyer. The legal aid act of four years ago has "
        "no budget line of its own, and the rural courts we observe hear cases without interpreters.",
        "Give the legal aid service its own line in the state budget by 2028 and publish each year how many people in "
        "pre-trial detention it has reached."),
    "Open Classroom Network": ("cso", "national", 2006, "education children",
        "The last review recommended free secondary education. Fees were abolished by law, yet in 31 of the 48 schools "
        "we visited families still pay for exams, and girls leave first.",
        "End examination fees in public secondary schools within two years and report enrolment by sex and district."),
    "National Human Rights Commission": ("nhri", "national", 2004, "institutions torture-detention",
        "Our commission received 4,100 complaints last year and may visit every place of detention. Of the last "
        "review's recommendations, a third are carried out; those on prevention of torture have not begun.",
        "Adopt the bill on the national preventive mechanism, with the commission's independence and staff secured."),
    "Disability Rights Forum": ("cso", "national", 2011, "disability",
        "Polling stations, courts and health posts remain closed to wheelchair users. The accessibility standard of "
        "2021 is not enforced and no public body has been inspected.",
        "Inspect all courts and polling stations against the accessibility standard before the next general election."),
    "Clean Water Alliance": ("cso", "national", 2009, "environment economic-social",
        "Mining upstream has left eleven villages without safe water. Communities were not consulted and the "
        "environmental reports are not public.",
        "Publish every environmental impact report before a permit is given, in the languages of those it concerns."),
    "Women in Public Life": ("cso", "national", 2001, "women civic-space",
        "The quota law has brought women into parliament, and with them a wave of online abuse that the police do not "
        "record as an offence.",
        "Record and prosecute threats against women in public office, and publish the figures by 2027."),
    "Global Press Watch": ("cso", "international", 1989, "civic-space",
        "Since the last review nine journalists have been charged under the cybercrime act for reports on public "
        "spending. None was convicted; all lost their equipment.",
        "Amend the cybercrime act so that reporting on public matters is no offence, and return seized equipment."),
    "Children First Coalition": ("cso", "national", 2014, "children labour",
        "Children aged 14 still work nights in the harvest. Labour inspectors visit on announced dates only.",
        "Carry out unannounced labour inspections during the harvest and publish what they find."),
    "Midwives for Health": ("cso", "national", 2012, "health women",
        "One district hospital in three has no midwife at night. Maternal deaths are counted in the capital only, and "
        "women who travel to give birth pay for it themselves.",
        "Staff every district hospital with midwives day and night by 2029 and publish maternal deaths by district."),
    "Forest Peoples Council": ("cso", "national", 2003, "indigenous environment",
        "Concessions for logging cover land that our communities have used for generations. The law on consultation "
        "has waited for its decree since the last review.",
        "Issue the decree on free, prior and informed consent before any further concession is granted."),
    "Office of the Ombudsperson": ("nhri", "national", 1997, "institutions civic-space",
        "Half of the complaints we receive are about officials who refuse information. Our recommendations are "
        "answered in one case out of four, and our budget is decided by those whom we watch.",
        "Give the Ombudsperson a budget voted by parliament alone, and a duty on ministries to answer in 60 days."),
    "Workers at Sea": ("cso", "international", 1994, "labour migration",
        "Fishers are kept on board for months beyond their contracts, their passports in the captain's drawer. Port "
        "inspections look at the catch and not at the crew.",
        "Ratify and apply the Work in Fishing Convention, with inspections of crews in every port by 2028."),
    "Association for Prison Visits": ("cso", "national", 2016, "torture-detention health",
        "Cells built for four hold eleven. We were refused entry to two prisons this year, and deaths in custody are "
        "recorded as natural before anybody has examined them.",
        "Open all places of detention to independent visits and have every death in custody examined by a coroner."),
    "Neighbours without Papers": ("cso", "national", 2018, "migration minorities",
        "Children born here to parents without papers belong to no State and cannot sit the final exam. The promise "
        "made at the last review to register every birth has not reached the border districts.",
        "Register every birth free of charge, whatever the papers of the parents, and let every child sit its exams."),
}  # fmt: skip
PEOPLE = (  # name, gender
    ("Amara Diallo", "woman"), ("Nadia Petrov", "woman"), ("Samuel Okoth", "man"), ("Lucía Herrera", "not_said"),
    ("Mei Lin", "woman"), ("Jonas Weber", "man"), ("Fatou Ba", "woman"), ("Ibrahim Saleh", "man"),
    ("Ana Tavares", "woman"), ("Ruth Mwangi", "woman"), ("Keoni Lafaele", "not_said"), ("Zofia Nowak", "woman"),
    ("Daniel Ortiz", "man"),
)  # fmt: skip

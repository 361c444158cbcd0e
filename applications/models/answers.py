"""The answers of an application: read by section, judged, and saved one section at a time. Room: applications.

A part of Application that knows the form's names; what an application is, and its other steps, stand beside it in
`application`.
"""

from django.db import models

from applications import letters, rules
from applications.models.parts import CONSENT_WORDING, Attachment, Consent, Recommendation, Speaker
from presessions import trail, vault

RECOMMENDATIONS = [f"recommendation_{number}" for number in range(1, rules.RECOMMENDATIONS + 1)]


class Answers:
    """Mixed into Application: what its form asks, and keeps."""

    ANSWERS = {  # those that stand in Application itself
        "institution": (
            "kind", "name", "name_latin", "ganhri_status", "ganhri_status_on", "scope", "founded_year",
            "ecosoc_status", "is_coalition", "coalition_members", "aims", "website", "address", "phone",
        ),
        "issues": ("issues", "follow_up"),
        "submission": ("submission_kind", "joint_submitters"),
        "safety": ("security_note",),
    }  # fmt: skip

    ROWS = {  # and where the others stand
        "speaker": ("speakers",), "replacement": ("speakers",), "issues": ("themes",),
        "recommendations": ("recommendations",), "file": ("attachments", "uploads"), "safety": ("consents",),
    }  # fmt: skip
    ALL_ROWS = ("speakers", "themes", "recommendations", "attachments", "consents")

    def fetch_all(self):
        """Fetch what belongs to it in one go, for a page that shows everything."""
        models.prefetch_related_objects([self], *self.ALL_ROWS)

    def answers(self, section):
        """What has been answered in a section, by the names its form uses."""
        return {name: getattr(self, name) for name in self.ANSWERS.get(section, ())} | self._elsewhere(section)

    def _elsewhere(self, section):
        """The answers that stand in rows of their own."""
        match section:
            case "speaker" | "replacement":
                person = self._person(section)
                return {name: getattr(person, name, "") for name in Speaker.ANSWERS}
            case "issues":
                return {"themes": list(self.themes.all())}
            case "recommendations":
                texts = {f"recommendation_{row.position}": row.text for row in self.recommendations.all()}
                return {name: texts.get(name, "") for name in RECOMMENDATIONS}
            case "file":
                return {"file": self.upr_submission}
            case "safety":
                standing = self.standing_consents()
                consents = {f"consent_{item}": item in standing for item in Consent.Item.values}
                return consents | {"seen": self.safety_seen_at}
        return {}

    def missing(self):
        """Needed answers that are not there, by section; sections without any are left out."""
        found = {section: rules.missing(section, self.answers(section)) for section in rules.SECTIONS}
        return {section: names for section, names in found.items() if names}

    def save_section(self, section, facts, *, now, by=None, in_part=False):
        """Keep the answers of one section, complete or not. Raises WrongStep; Closed after the deadline, except for
        safety and consent, which an applicant may change as long as the application lives.

        in_part -- others of its answers were wrong: kept in a draft only, because what was sent counts at once
        """
        before = (self.Status.DRAFT,) if in_part else None
        known = self._person(section) if section in Speaker.Role.values else None
        own = {name: facts[name] for name in self.ANSWERS.get(section, ()) if name in facts}
        if section == "safety":
            note = self.security_note
            self.step(before or self.LIVE, "saved_safety", now=now, by=by,
                      also=lambda: self._save_safety(facts, note, now),
                      safety_seen_at=self.safety_seen_at if in_part else now, changed_at=now, **own)  # fmt: skip
            return
        self.step(before or self.EDITABLE, f"saved_{section}", now=now, by=by, open_only=True,
                  section=section, also=lambda: self._save_elsewhere(section, facts, known),
                  changed_at=now, **own)  # fmt: skip

    def _save_safety(self, facts, note, now):
        self._save_consents(facts, now)
        if self.was_sent and self.security_note != note:
            self.mask_if_afraid(now)

    def mask_if_afraid(self, now):
        """Whoever has written a private security note is taken to be at risk, until somebody who read it says no."""
        afraid = type(self).objects.filter(pk=self.pk, at_risk=False)
        if self.security_note and afraid.update(at_risk=True):
            self.at_risk = True
            trail.record(self, "marked_at_risk", now=now)

    def _save_elsewhere(self, section, facts, known):
        match section:
            case "institution" if self.organisation:  # sent before, and now under another name
                self.organisation.learn(self.name, self.name_latin)
            case "speaker" | "replacement":
                self._save_person(section, facts, known)
            case "issues":
                self.themes.set(facts["themes"])
            case "recommendations":
                self._save_recommendations([facts[name].strip() for name in RECOMMENDATIONS])

    def _save_person(self, role, facts, known):
        """known -- the one that was there when we looked. Where there was none and two pages are saved in the same
        instant, it is as if ours had come first: there is one speaker, as the other page says."""
        facts = {name: facts[name] for name in Speaker.ANSWERS if name in facts}
        mine = Speaker.objects.filter(application=self, role=role, replaced_at=None)
        if any(facts.values()) or role == Speaker.Role.SPEAKER:
            if not (known and mine.update(**facts)):
                Speaker.objects.bulk_create([Speaker(application=self, role=role, **facts)], ignore_conflicts=True)
        elif known:  # a replacement who is struck out again leaves nothing of herself behind
            mine.delete()

    def _save_recommendations(self, texts):
        self.recommendations.all().delete()
        Recommendation.objects.bulk_create(
            Recommendation(application=self, position=position, text=text)
            for position, text in enumerate(filter(None, texts), start=1)
        )

    def _save_consents(self, facts, now):
        standing = self.standing_consents()
        wanted = {item for item in Consent.Item.values if facts.get(f"consent_{item}")}
        if standing - wanted:
            self.consents.filter(item__in=standing - wanted).take_back(self, now=now)
        Consent.objects.bulk_create(
            Consent(application=self, item=item, wording=CONSENT_WORDING, given_at=now)
            for item in sorted(wanted - standing)
        )
        if wanted - standing and self.cleared_at:  # with a seat, what is agreed to here is asked about once more
            type(self).objects.filter(pk=self.pk).update(cleared_at=None)
            self.cleared_at = None

    def attach(self, upload, kind, verdict, *, now, by=None, before=None, open_only=True, **facts):
        """Keep a file that the door let in as the next version of its kind; returns the Attachment. The same file
        once more, from a second click, is no new version. Raises WrongStep, and keeps nothing then.

        before -- the statuses in which this kind may be sent; open_only -- whether the call's deadline holds for it
        facts -- more of the Attachment, such as late=True
        """
        kept = []

        def add():
            last = self.attachments.filter(kind=kind).first()  # the UPDATE before us holds the application's row
            if last and last == self.newest(kind) and last.sha256 == upload.sha256:
                return last
            kept.append(vault.storage.keep(upload))
            file = Attachment.objects.create(
                application=self,
                kind=kind,
                version=last.version + 1 if last else 1,
                original_name=verdict.name,
                stored=kept[0],
                size=upload.size,
                sha256=upload.sha256,
                content_type=verdict.content_type,
                uploaded_at=now,
                next_look_at=now,  # in quarantine, where `cleaning` takes it from
                **facts,
            )
            if self.was_sent and kind == Attachment.Kind.UPR_SUBMISSION:  # the receipt they have proves another file
                letters.send_receipt(self, now=now)
            return file

        section = "file" if kind == Attachment.Kind.UPR_SUBMISSION else None
        try:
            return self.step(before or self.EDITABLE, f"attached_{kind}", now=now, by=by, open_only=open_only, also=add,
                             section=section, changed_at=now)  # fmt: skip
        except Exception:
            for name in kept:
                vault.storage.delete(name)
            raise

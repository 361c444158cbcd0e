"""Why a file is not let in, and what to do about it: the sentences for each word of the programs in `sandbox`.

Room: applications. The applicant may have nothing but a phone: each refusal ends with a way that works.
"""

from django.utils.translation import gettext_lazy as _

_as_pdf = _(
    "Save it as a PDF and attach that: in Word, File, then Save As, then PDF; in LibreOffice, File, then Export As, "
    "then Export as PDF; on a phone, Share or Print, then Save as PDF."
)
_print_it = _("Open it, choose Print, then Save as PDF, and attach the new file.")
_send_a_document = _("Please attach a PDF, a Word document (.docx) or an OpenDocument text (.odt).")

REFUSALS = {
    "empty": [
        _("The file is empty."),
        _("Open it on your device to see whether it is the right one, and attach it again."),
    ],
    "too_large": [
        _("The file is larger than 20 MB."),
        _(
            "Pictures are usually the reason: make them smaller in the document (in Word: Picture Format, then "
            "Compress Pictures) and save it again."
        ),
    ],
    "unreadable": [_("The file cannot be read; it may be damaged or incomplete."), _as_pdf],
    "two_kinds": [_("The file is of two kinds at once, and we cannot tell which one to trust."), _as_pdf],
    "unknown_kind": [_("The file is neither a PDF nor a Word document nor an OpenDocument text."), _as_pdf],
    "wrong_name": [
        _("The ending of the file’s name does not say what the file is."),
        _(
            "Rename it so that it ends with .pdf if it is a PDF, .docx if it is a Word document, or .odt if it is an "
            "OpenDocument text, and attach it again."
        ),
    ],
    "pdf_password": [
        _("The PDF is protected by a password or by restrictions."),
        _(
            "Export it again without them: in Word, leave “Encrypt the document with a password” unticked under "
            "Options; in LibreOffice, leave the Security page of the export empty. If you only have the PDF, open "
            "it, choose Print, then Save as PDF."
        ),
    ],
    "pdf_script": [
        _("The PDF contains a program (JavaScript), which could act by itself on our computers."),
        _print_it,
    ],
    "pdf_action": [
        _("The PDF would start something, send something or open another file by itself."),
        _print_it,
    ],
    "pdf_form": [
        _("The PDF is a form of a kind that most programs cannot show (XFA)."),
        _("Open it in the program you filled it in with, choose Print, then Save as PDF, and attach the new file."),
    ],
    "pdf_attachment": [
        _("There is another file inside the PDF."),
        _print_it,
        _("In LibreOffice, export it without “Hybrid PDF”."),
    ],
    "pdf_media": [
        _("There is sound, film or a 3D model in the PDF."),
        _print_it,
    ],
    "word_old": [
        _("This is a document of an older Word (.doc), or of another older Office program."),
        _(
            "Open it in Word or LibreOffice, choose File, then Save As, then PDF or Word document (.docx), and "
            "attach the new file."
        ),
    ],
    "word_password": [
        _("The Word document is protected by a password."),
        _(
            "In Word: File, then Info, then Protect Document, then Encrypt with Password; empty the field, save, "
            "and attach it again. In LibreOffice: File, then Save As, with “Save with password” unticked."
        ),
    ],
    "word_macros": [
        _("The Word document contains macros, which could act by themselves on our computers."),
        _(
            "In Word: File, then Save As, then Word document (.docx), answer Yes when asked to save without macros,"
            " and attach the new file."
        ),
    ],
    "word_linked": [
        _("The Word document loads something from elsewhere: a template, a picture, or another file."),
        _as_pdf,
    ],
    "word_fields": [
        _("The Word document contains fields that load something from elsewhere."),
        _(
            "In Word: select everything (Ctrl+A), then press Ctrl+Shift+F9 to turn fields into plain text, save, "
            "and attach it again."
        ),
        _as_pdf,
    ],
    "word_embedded": [
        _("There is another document inside the Word document, such as the table behind a chart."),
        _as_pdf,
    ],
    "other_office": [_("This is a spreadsheet or a presentation."), _as_pdf],
    "odt_password": [
        _("The OpenDocument text is protected by a password."),
        _("In LibreOffice: File, then Save As, with “Save with password” unticked; attach the new file."),
    ],
    "odt_macros": [
        _("The OpenDocument text contains macros or other programs, which could act by themselves on our computers."),
        _as_pdf,
    ],
    "odt_linked": [
        _("The OpenDocument text loads something from elsewhere: a picture, a section of another file, or data."),
        _(
            "In LibreOffice: Edit, then External Links, choose each, then Break Link, save, and attach it again. If "
            "LibreOffice does not offer that, attach a PDF."
        ),
        _as_pdf,
    ],
    "odt_embedded": [
        _("There is another document inside the OpenDocument text, such as a chart, a formula or an older version."),
        _as_pdf,
    ],
    "pages": [
        _("This is a document of Apple Pages."),
        _(
            "In Pages: File, then Export To, then PDF (on an iPhone: Share, then Export, then PDF); attach the new "
            "file."
        ),
    ],
    "rtf": [_("This is a document in Rich Text Format (.rtf)."), _as_pdf],
    "html": [
        _("This is a web page or a drawing for the web."),
        _("Open it in a browser, choose Print, then Save as PDF, and attach the new file."),
    ],
    "image": [
        _("This is a picture."),
        _(
            "If it shows your document, make a PDF of it: on an iPhone, Share, then Print, then Share again; on "
            "Android, Share, then Print, then Save as PDF; on a computer, Print, then Save as PDF."
        ),
    ],
    "program": [_("This is a program, not a document."), _send_a_document],
    "archive": [
        _("This is an archive of files (such as .zip)."),
        _("Take the document out of it and attach the document alone."),
    ],
    "archive_password": [
        _("The file is protected by a password."),
        _("Save the document again without a password and attach it."),
    ],
    "bomb": [_("The file would become far too large when it is opened."), _as_pdf],
    "malware": [
        _("Our virus scanner found something harmful in the file."),
        _("Your device may be infected: have it checked before you send the file to anybody else."),
        _("Then make the document anew, on another device if you can, save it as a PDF and attach that."),
    ],
    "busy": [
        _("Many files are arriving just now and yours could not be checked."),
        _("Please attach it again in a few minutes."),
    ],
}


def sentences(word):
    """What is wrong and what to do, for a word of the program that looked; a word nobody knows means "unreadable"."""
    return REFUSALS.get(word, REFUSALS["unreadable"])

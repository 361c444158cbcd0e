"""A small name server on the loopback, with whatever a test puts into it.

    server.zone["example.org", "TXT"] = ["v=spf1 -all"]
    server.zone["broken.example", "MX"] = SERVFAIL        or SILENT: no answer at all

A name that has nothing of any kind is said not to exist.
"""

import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SERVFAIL, SILENT = "servfail", "silent"


class NameServer:
    def __init__(self):
        self.zone, self.asked = {}, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.socket.sendto(b"stop", self.socket.getsockname())
        self.thread.join()
        self.socket.close()

    def _serve(self):
        while True:
            data, client = self.socket.recvfrom(4096)
            if data == b"stop":
                return
            answer = self._answer(dns.message.from_wire(data))
            if answer:
                self.socket.sendto(answer.to_wire(max_size=4096), client)

    def _answer(self, query):
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        held = self.zone.get((name, kind), [])
        if held == SILENT:
            return None
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if held == SERVFAIL:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif held:
            texts = [_quoted(text) if kind == "TXT" else text for text in held]
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *texts))
        elif not any(known == name for known, _kind in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


def _quoted(text):
    """As a zone file writes it: in pieces of at most 255 signs."""
    pieces = [text[start : start + 255] for start in range(0, len(text), 255)] or [""]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)

"""An SMTP server that misbehaves by chance, and never lies: what it accepts is in its journal, on the disk, before it
answers. A program of its own that imports nothing of ours.

    python sink.py PORT JOURNAL SEED [calm]

Faults per connection and per mail as in a bad hour on the internet, for 18 mails of 100; one recipient of a hundred
does not exist, nor does anybody at gone.example. On SIGUSR1, or with "calm", the faults end and only the recipients
that do not exist are refused. Until then each mail offered and each fault is a line of standard output; each accepted
mail is a line of the journal.
"""

import asyncio
import hashlib
import json
import os
import random
import re
import signal
import sys

CONNECTION_FAULTS = {"greeting 421": 0.02, "no greeting": 0.005}
MAIL_FAULTS = {
    "MAIL 451": 0.04,
    "RCPT 450": 0.055,
    "drop before 354": 0.025,
    "drop amid DATA": 0.025,
    "452 at the dot": 0.02,
    "accept, then drop": 0.01,
    "accept, then hang": 0.005,
}
OFFERED = "a mail"  # no fault
REPLY_SECONDS = 0.003  # at most, for one command; a server is never as near as loopback
ACCEPT_SECONDS = 0.015  # at most, between taking a mail and saying so


def exists(address, seed):
    luck = int(hashlib.sha256(f"{seed} {address}".encode()).hexdigest(), 16)
    return luck % 100 != 0 and not address.endswith("@gone.example")


def inside_brackets(line):
    return line.split(b"<")[1].split(b">")[0].decode()


class HangUp(Exception):
    """The connection ends here, without a word."""


class Sink:
    def __init__(self, journal, seed, calm):
        self.journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.seed = seed
        self.calm = calm
        self.chance = random.Random(f"{seed} {os.fstat(self.journal).st_size}")  # another one after each restart

    def be_calm(self):
        self.calm = True

    async def serve(self, port):
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.be_calm)
        server = await asyncio.start_server(self.connection, "127.0.0.1", port)
        await server.serve_forever()

    async def connection(self, reader, writer):
        try:
            await self.conversation(reader, writer)
        except (HangUp, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def conversation(self, reader, writer):
        async def say(text):
            await self.delay(REPLY_SECONDS)
            writer.write(text.encode() + b"\r\n")
            await writer.drain()

        fault = self.draw(CONNECTION_FAULTS)
        if fault == "no greeting":
            await self.hang(reader)
        await say("421 not now" if fault else "220 sink")
        fault = to = sender = None
        while line := await reader.readline():
            command = line[:4].upper()
            if command == b"MAIL":
                if not self.calm:
                    print(OFFERED, flush=True)
                sender = inside_brackets(line)
                fault = self.draw(MAIL_FAULTS)
                await say("451 later" if fault == "MAIL 451" else "250 ok")
            elif command == b"RCPT":
                to = inside_brackets(line)
                if not exists(to, self.seed):
                    await say("550 nobody of that name")
                else:
                    await say("450 later" if fault == "RCPT 450" else "250 ok")
            elif command == b"DATA":
                if fault == "drop before 354":
                    raise HangUp
                await say("354 go on")
                message = await self.message(reader, fault)
                if fault == "452 at the dot":
                    await say("452 no room")
                    continue
                self.accept(message, sender, to)
                if fault == "accept, then drop":
                    raise HangUp
                if fault == "accept, then hang":
                    await self.hang(reader)
                await self.delay(ACCEPT_SECONDS)
                await say("250 accepted")
            else:
                await say("221 bye" if command == b"QUIT" else "250 ok")

    async def message(self, reader, fault):
        lines = []
        while (line := await reader.readline()) != b".\r\n":
            if not line or (fault == "drop amid DATA" and len(lines) == 5):
                raise HangUp
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def accept(self, message, sender, to):
        found = re.search(rb"(?im)^Message-ID: (\S+)", message)
        accepted = {
            "message_id": found and found[1].decode(),
            "sender": sender,
            "to": to,
            "sha256": hashlib.sha256(message).hexdigest(),
        }
        os.write(self.journal, json.dumps(accepted).encode() + b"\n")
        os.fsync(self.journal)

    def draw(self, faults):
        """One of the faults, each with its chance, or None."""
        luck = self.chance.random()
        if self.calm:
            return None
        for fault, share in faults.items():
            luck -= share
            if luck < 0:
                print(fault, flush=True)
                return fault
        return None

    async def delay(self, most):
        if not self.calm:
            await asyncio.sleep(self.chance.uniform(0, most))

    async def hang(self, reader):
        """Say nothing until the other side gives up."""
        while await reader.read(1024):
            pass
        raise HangUp


if __name__ == "__main__":
    _, port, journal, seed, *mood = sys.argv
    asyncio.run(Sink(journal, seed, calm=mood == ["calm"]).serve(int(port)))

"""An SMTP server for tests, a process of its own, whose journal is the only truth about what was delivered.

    python tests/mail/sink.py JOURNAL [PORT]

It prints its port. Each accepted mail is one line in JOURNAL, written before the server answers 250. Orders come as
JSON lines on its standard input and are answered with "ok":

    {"MAIL": ["451 later"], "dot": ["accept-drop"]}     what to answer next at that stage, each once
    {"rates": {"RCPT": [["450 busy", 0.05]]}, "seed": 7}   and what to answer by chance, for a storm
    {"always": {"RCPT": {"dead": "550 no such user"}}}     and always, for addresses that begin so
    {"slow": 0.05}                                         seconds that it takes over each letter
    {"anew": JOURNAL}                                      forget all orders, hang up, and write to another journal

Stages: greeting, EHLO, MAIL, RCPT, DATA, dot. Besides an answer: "drop" the connection, "hang" (say nothing),
"garbage" (no reply code), and at the final dot "accept-drop" and "accept-hang" (journal it, then do not say so);
"mid-drop" at DATA hangs up in the middle of the text.
"""

import asyncio
import hashlib
import json
import random
import sys
import time


class Sink:
    def __init__(self, journal):
        self.journal = open(journal, "a", buffering=1)  # noqa: SIM115  it stays open as long as the process
        self.script, self.rates, self.always, self.chance = {}, {}, {}, random.Random(0)
        self.slow = 0
        self.lines = set()  # that are open

    def order(self, order):
        self.rates = order.pop("rates", self.rates)
        self.slow = order.pop("slow", self.slow)
        self.always = order.pop("always", self.always)
        self.slow = order.pop("slow", self.slow)
        self.chance = random.Random(order.pop("seed")) if "seed" in order else self.chance
        for stage, answers in order.items():
            self.script.setdefault(stage, []).extend(answers)

    def fault(self, stage, argument=""):
        if self.script.get(stage):
            return self.script[stage].pop(0)
        for start, answer in self.always.get(stage, {}).items():
            if argument.startswith(start):
                return answer
        draw = self.chance.random()
        for answer, rate in self.rates.get(stage, []):
            draw -= rate
            if draw < 0:
                return answer
        return None

    async def serve(self, reader, writer):
        self.lines.add(writer)
        try:
            await Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, Gone):
            pass
        finally:
            self.lines.discard(writer)
            writer.close()

    def accept(self, to, data):
        head = data.split(b"\r\n\r\n")[0].decode()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n") if ": " in line)
        line = {
            "message_id": fields.get("Message-ID"),
            "to": to,
            "sha256": hashlib.sha256(data).hexdigest(),
            "at": time.time(),
            "data": data.decode(),
        }
        self.journal.write(json.dumps(line) + "\n")


class Gone(Exception):
    """We hung up."""


class Session:
    def __init__(self, sink, reader, writer):
        self.sink, self.reader, self.writer = sink, reader, writer
        self.to, self.amid = [], False  # recipients; whether a letter has begun and neither ended nor been reset

    async def run(self):
        await self.answer("greeting", "220 sink")
        while line := await self.reader.readline():
            verb, _, rest = line.decode("latin1").strip().partition(" ")
            match verb.upper():
                case "EHLO" | "HELO":
                    await self.answer("EHLO", "250 sink")
                case "MAIL":
                    if self.amid:
                        await self.say("503 one letter at a time")
                        continue
                    self.to, self.amid = [], await self.answer("MAIL", "250 ok")
                case "RCPT":
                    address = rest.split("<", 1)[-1].rstrip(">")
                    if await self.answer("RCPT", "250 ok", address):
                        self.to.append(address)
                case "DATA":
                    await self.data()
                case "RSET" | "NOOP":
                    self.amid = self.amid and verb.upper() == "NOOP"
                    await self.say("250 ok")
                case "QUIT":
                    await self.say("221 bye")
                    return
                case _:
                    await self.say("502 what?")

    async def data(self):
        fault = self.sink.fault("DATA")
        if fault != "mid-drop" and fault:
            return await self.act(fault)
        await self.say("354 go on")
        if fault == "mid-drop":
            await self.reader.read(20)
            raise Gone
        data = await self.reader.readuntil(b"\r\n.\r\n")
        data = data[:-3].replace(b"\r\n..", b"\r\n.")
        data = data[1:] if data.startswith(b"..") else data
        self.amid = False
        await asyncio.sleep(self.sink.slow)
        self.amid = False
        await asyncio.sleep(self.sink.slow)
        fault = self.sink.fault("dot")
        if fault is None or fault.startswith(("accept", "2")):
            for address in self.to:
                self.sink.accept(address, data)
        await self.act(fault.removeprefix("accept-") if fault else "250 accepted")

    async def answer(self, stage, usual, argument=""):
        """True when the answer was a good one."""
        answer = self.sink.fault(stage, argument) or usual
        await self.act(answer)
        return answer[:1] == usual[:1]

    async def act(self, answer):
        if answer == "drop":
            raise Gone
        if answer == "hang":
            await asyncio.sleep(3600)
        await self.say("these are not the droids" if answer == "garbage" else answer)
        if answer.startswith("421"):
            raise Gone

    async def say(self, text):
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()


async def main(journal, port=0):
    sink, loop = Sink(journal), asyncio.get_running_loop()
    server = await asyncio.start_server(lambda *line: sink.serve(*line), "127.0.0.1", int(port), limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if journal := order.pop("anew", None):
            for writer in sink.lines:
                writer.close()
            sink = Sink(journal)
        sink.order(order)
        print("ok", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

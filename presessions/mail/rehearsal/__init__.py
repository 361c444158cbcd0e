"""A rehearsal: the mails of a whole series in fast-forward, on a copy of the database, with nobody at the other end.

Room: mail. `copying` makes the copy and drops it again, `running` lets time pass in it, `problems` finds what is wrong
with what went, `showing` says it in a terminal, `folder` writes the letters down to be looked at. The command
`rehearse` starts a process of its own for the copy, whose environment holds no address of a real mail server, of Redis
or of our files: what is not known cannot be reached.
"""

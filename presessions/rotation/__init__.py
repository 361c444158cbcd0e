"""Everything that the vault keeps, written again under the primary key, while web and workers go on. Wiring.

    moving.rotate(tick)    columns, indexes, files; what somebody changes meanwhile stays theirs, and is looked at again
    looking.look(tick)     how much still hangs on which key; reads only

Encrypted columns are found by their class in every model, so that one added later is moved by itself. An index is made
anew from the column that it is the index of; where those words are kept nowhere, the proofs of a retired key go on
finding it (`tables`, `presessions.keys`). Events and seals are never changed: their codes are proofs, too.

A row is moved by an UPDATE that asks for the very bytes that were read: of a step and a rotation at once, the step
wins. A file is written beside the old one and takes its place in one instant. Stopped at any point, it goes on there.
"""

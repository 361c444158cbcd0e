"""Timed mail that neither loses nor doubles. Room: mail, floor 1; imports upr and the basement.

Read it in this order: `registry` (what the rooms above send), `models` (what is kept), `schedule` (when), `letters`
and `outbox` (what is written), `delivery` and `wire` (how it leaves), `links` (how a person comes back).
"""

"""What missions keeps: the register, what each mission is asked and answers, what is noted on the day. Room: missions,
floor 3.

Which missions exist, and what they answered, is no secret among staff. Their addresses and the names of their people
are: those stand encrypted. Nothing here knows an applicant but by reference. Imports applications, mail and the floors
below them.
"""

from missions.models.answers import (
    AnsweredMeanwhile,
    Answers,
    Colleague,
    Delegate,
    Invitation,
    MissionFeedback,
    Question,
    Reply,
    Said,
)
from missions.models.on_the_day import DoorNote, FloorQuestion
from missions.models.register import MissionAddress, PermanentMission, RegisterCheck
from missions.other_means import MissionTask

__all__ = [
    "AnsweredMeanwhile",
    "Answers",
    "Colleague",
    "Delegate",
    "DoorNote",
    "FloorQuestion",
    "Invitation",
    "MissionAddress",
    "MissionFeedback",
    "MissionTask",
    "PermanentMission",
    "Question",
    "RegisterCheck",
    "Reply",
    "Said",
]

"""A playground's database with judged battles, made before its app starts.

Boundary: real records in a real store; no model is asked.
"""

from __future__ import annotations

from pathlib import Path

from playground.records import Instruction
from tests.support.cast import ADA, BEN, GALPACA, MAMBA, OPENALPACA, house

PAIRS = ((OPENALPACA, MAMBA), (MAMBA, GALPACA), (GALPACA, OPENALPACA))
CHOICES = ("a", "b", "tie", "both_bad")
CATEGORIES = ("creative", "code", "")


def fill(folder: Path, count: int = 45) -> Path:
    """Judge `count` battles in ``playground.db``, the later ones on cities, and one that is erased; return its path."""
    home = house(folder)
    for number in range(count):
        subject = "a city at night" if number >= count // 2 else "the sea, naïve – 好"
        instruction = Instruction(f"Write haiku {number} about {subject}.", category=CATEGORIES[number % 3])
        battle_id = f"{number:032x}"
        home.battle_is_open(battle_id, PAIRS[number % 3], instruction=instruction, owner=(ADA, BEN)[number % 2])
        reasons = ["clear", "style"] if number % 5 == 0 else []
        home.battles.vote(battle_id, CHOICES[number % 4], (ADA, BEN)[number % 2], reasons=reasons)
        home.battles.reveal(battle_id, (ADA, BEN)[number % 2])
        home.time.pass_s(60)
    home.battle_is_open("e" * 32, owner="rater-eve", instruction=Instruction("Eve's secret words"))
    home.battles.vote("e" * 32, "a", "rater-eve")
    home.battles.reveal("e" * 32, "rater-eve")
    home.battles.erase("rater-eve")
    home.store.close()
    return folder / "playground.db"

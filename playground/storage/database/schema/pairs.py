"""The parts that the view `pairs` has in every version: one row per judged pair.

Boundary: SQL text only. Released: never edited.
"""

# In an order such as b>a=c a side's rank is the number of '>' before its letter.
JUDGEMENT = """\
  x.side AS side_a, y.side AS side_b, x.model_id AS model_a, y.model_id AS model_b,
  CASE
    WHEN v.choice IN ('tie', 'both_bad') THEN v.choice
    WHEN v.choice = x.side THEN 'model_a'
    WHEN v.choice = y.side THEN 'model_b'
    ELSE CASE sign(
        (instr(v.choice, x.side) - length(replace(substr(v.choice, 1, instr(v.choice, x.side)), '>', '')))
        - (instr(v.choice, y.side) - length(replace(substr(v.choice, 1, instr(v.choice, y.side)), '>', ''))))
      WHEN -1 THEN 'model_a' WHEN 0 THEN 'tie' ELSE 'model_b' END
  END AS winner,
  CASE WHEN x.model_id = y.model_id THEN 0.0 ELSE 1.0 END AS weight,"""

JUDGED_PAIRS = """\
FROM votes v
JOIN battles b ON b.id = v.battle_id
JOIN instructions i ON i.id = b.instruction_id
JOIN battle_sides x ON x.battle_id = v.battle_id
JOIN generations f ON f.id = x.generation_id AND f.good = 1
JOIN battle_sides y ON y.battle_id = v.battle_id AND y.side > x.side
JOIN generations g ON g.id = y.generation_id AND g.good = 1
WHERE v.choice <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)
  AND (length(v.choice) > 1 OR v.choice IN (x.side, y.side))"""

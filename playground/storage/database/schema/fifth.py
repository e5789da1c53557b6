"""Migration 5: the reasoning that some models write before an answer, and what was made of a battle.

Boundary: statements only. Not released yet: it may be edited until it is.
"""

# The reasoning is written once with the answer, and erased with it.
REASONING = (
    "ALTER TABLE generations ADD COLUMN reasoning TEXT NOT NULL DEFAULT ''",
    "DROP TRIGGER generations_are_only_erased",
    """
CREATE TRIGGER generations_are_only_erased BEFORE UPDATE OF
  instruction_id, text, reasoning, prompt_text, prompt_ids, token_ids ON generations
WHEN NEW.text || NEW.reasoning || NEW.prompt_text <> '' OR NEW.prompt_ids <> '[]' OR NEW.token_ids <> '[]'
  OR EXISTS (SELECT 1 FROM instructions WHERE id = NEW.instruction_id AND instruction || input || system <> '')
BEGIN SELECT RAISE (ABORT, 'a generation is written once'); END""",
)

# Erasure follows a battle to all that was joined or made again from it.
DESCENT = ("CREATE INDEX battles_by_parent ON battles (parent_id) WHERE parent_id IS NOT NULL",)

"""Migration 5: the reasoning that some models write before an answer.

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

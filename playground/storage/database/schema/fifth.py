"""Migration 5: the reasoning that some models write before an answer; answers to files of instructions.

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

# Answers to files of instructions, which no battle shows yet. `key` is the hash of instruction, model, parameters, seed
# of the run and number, so that a run that was killed goes on; a failed answer may be tried again.
GENERATED = (
    """
CREATE TABLE generated (
  key TEXT NOT NULL CHECK (length(key) = 64),
  attempt INTEGER NOT NULL CHECK (attempt >= 1),
  number INTEGER NOT NULL CHECK (number >= 1),
  seed INTEGER NOT NULL CHECK (seed >= 0),
  generation_id TEXT NOT NULL UNIQUE REFERENCES generations (id),
  PRIMARY KEY (key, attempt)
) STRICT, WITHOUT ROWID""",
    """
CREATE TRIGGER generated_never_change BEFORE UPDATE ON generated
BEGIN SELECT RAISE (ABORT, 'a generation is written once'); END""",
    """
CREATE TRIGGER generated_stay BEFORE DELETE ON generated
BEGIN SELECT RAISE (ABORT, 'a generation is written once'); END""",
)

"""Migration 5: reasoning, steps, descent, guesses of models, answers to files, rated battles; more is in `studies` …

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

# The most answers that one step of the model's decode loop wrote, this one included: in 16 bit they can change it.
TOGETHER = ("ALTER TABLE generations ADD COLUMN written_together INTEGER CHECK (written_together >= 1)",)

# Erasure follows a battle to all that was joined or made again from it.
DESCENT = ("CREATE INDEX battles_by_parent ON battles (parent_id) WHERE parent_id IS NOT NULL",)

# A question about one side of a battle, asked with the vote; `named` is the answer, if there is one. It is one of
# `choices`, and no key of `models`: a restored database may lack a model that only stood among the choices.
GUESSES = (
    """
CREATE TABLE guesses (
  battle_id TEXT PRIMARY KEY,
  side TEXT NOT NULL,
  choices TEXT NOT NULL CHECK (json_array_length(choices) >= 2),
  reveals INTEGER NOT NULL CHECK (reveals >= 0),
  named TEXT CHECK (named <> ''),
  FOREIGN KEY (battle_id, side) REFERENCES battle_sides (battle_id, side)
) STRICT""",
    """
CREATE TRIGGER guesses_are_made_once BEFORE UPDATE ON guesses
WHEN OLD.named IS NOT NULL
  OR (NEW.battle_id, NEW.side, NEW.choices, NEW.reveals) IS NOT (OLD.battle_id, OLD.side, OLD.choices, OLD.reveals)
BEGIN SELECT RAISE (ABORT, 'a guess is made once'); END""",
    """
CREATE TRIGGER guesses_stay BEFORE DELETE ON guesses
BEGIN SELECT RAISE (ABORT, 'guesses are never deleted'); END""",
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


# Battles that raters were given on the stored answers of others. The first index finds what may be offered, from any id
# on: ids are random. `offered` marks battles on different answers whose owner had agreed to terms when they made them:
# imported battles, and those that models answered alike, would have to be passed over one by one. Regenerated battles
# are not offered, they may show words that somebody else typed.
RATED = (
    "ALTER TABLE battles ADD COLUMN rated INTEGER NOT NULL DEFAULT 0 CHECK (rated IN (0, 1))",
    "ALTER TABLE battles ADD COLUMN offered INTEGER CHECK (offered = 1)",
    "CREATE INDEX battles_to_rate ON battles (id, created_at, owner, comparison_id)"
    " WHERE offered = 1 AND erased_at IS NULL AND hidden_at IS NULL",
    """
CREATE TRIGGER battles_are_offered AFTER UPDATE OF state ON battles
WHEN NEW.state = 'revealed' AND OLD.state <> 'revealed' AND NEW.blind = 1 AND NEW.source = 'page'
  AND NEW.parent_id IS NULL AND NEW.rated = 0
  AND EXISTS (SELECT 1 FROM consents c WHERE c.rater_id = NEW.owner AND c.created_at <= NEW.created_at)
  AND (
    SELECT count(DISTINCT g.text) FROM battle_sides s JOIN generations g ON g.id = s.generation_id
    WHERE s.battle_id = NEW.id) > 1
BEGIN UPDATE battles SET offered = 1 WHERE id = NEW.id; END""",
    "CREATE INDEX battles_rated ON battles (owner, state) WHERE rated = 1",
)

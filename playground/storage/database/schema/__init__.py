"""The statements of every released step of the schema, a file per step; a released file is never edited."""

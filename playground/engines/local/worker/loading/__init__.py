"""Load a checkpoint into memory and check that it is complete and the one that the card names."""

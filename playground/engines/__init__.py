"""Engines turn prompt ids into token ids: local worker processes now; every engine speaks `protocol`."""

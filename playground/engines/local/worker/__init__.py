"""The worker process: loads one model and writes answers. With `playground.pocket` the only code that imports torch."""

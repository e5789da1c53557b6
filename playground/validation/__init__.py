"""Validate and normalise input, the same for the page and the API.

Boundary: values in, clean values out, or an error with a message for the visitor; no file, no model, no Gradio. Every
function is idempotent. Big values are refused by their length before anything else.
"""

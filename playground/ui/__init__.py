"""The web page: its pages, texts, style sheet and HTTP layer; with `app.py` the only user of Gradio."""

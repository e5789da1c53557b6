"""The page: rooms, panels, one style sheet; the only place besides `app.py` that knows Gradio."""

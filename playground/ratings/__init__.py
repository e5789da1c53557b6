"""Leaderboards from votes: counting, strengths, intervals, bias, and the sentences about them.

Boundary: numpy and records only; no SQL, files, Gradio or clocks.
"""

"""The arithmetic of votes: tables of judged pairs, strengths, intervals, bias.

Boundary: numpy and records only. Knows nothing about SQL, files, Gradio, clocks or words for a visitor.
"""

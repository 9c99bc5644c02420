"""The wording of what the law wants said, a file for each language: open `wording.py` first."""

"""Models out of history: rows, candidates, judgement, report. Open `run.py` first."""

"""A model in force, watched: drift, calibration on what came of its scores, and fairness. Open `watch.py` first."""

"""Cases and rules for compliance people: JSON lines judged, packs shown. Open `check.py` first."""

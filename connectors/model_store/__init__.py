"""The trained models: a folder each, found by the hash of what is in it. Open `store.py` first."""

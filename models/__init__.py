"""The pure core: rows, a clock and settings in, values out; no input or output. Open `core.py` first."""

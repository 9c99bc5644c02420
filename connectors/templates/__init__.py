"""What contacts say: templates checked, held and rendered. Open `rendering.py` first."""

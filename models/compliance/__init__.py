"""Whether law, consent and policy allow a contact. Open `gate.py` first."""

"""The channels that carry a contact to a customer. Open `channel.py` first."""

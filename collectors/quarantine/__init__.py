"""`collect.py quarantine`: what was refused is listed, shown, accepted after all, or dropped."""

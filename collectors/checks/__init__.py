"""Checks as data: what a batch is held against before it is kept, and what came of it."""

"""Backfill: what is missing and can still be had, as a plan with its price, and as a run that fills it."""

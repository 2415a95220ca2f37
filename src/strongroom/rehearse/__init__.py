"""Rehearsals: synthetic populations and documents, playbooks of attacks, honest look-alikes, and a scorecard.

Everything here is synthetic and says so. No room of the product depends on it.
"""

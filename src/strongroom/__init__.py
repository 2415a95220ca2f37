"""Strongroom: the document module of a patient portal, built so that it cannot be emptied quietly."""

__version__ = "0.1.0"

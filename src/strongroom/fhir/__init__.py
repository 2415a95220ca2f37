"""FHIR R4 (4.0.1), JSON: the resources we read and write, and what may be said about them. Pure: no I/O, no clock."""

"""Vendors' pages into catalogs: read whole or refused, compared, taken over as a revision."""

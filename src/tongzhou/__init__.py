"""Tongzhou (同舟): a social e-commerce mall with an honest ledger."""

__version__ = "0.1.0"

"""The walk through every command: ledger.py keeps the book, table.py says what must be in it."""

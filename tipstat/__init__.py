"""tipstat: the open statistics warehouse for trafficking in persons (TIP)."""

__version__ = "0.1.0"

"""Moves Nekro Agent plugins from webhooks to dynamic routes. The program itself is a binary."""

from ._find import find_rehook_bin

__all__ = ["find_rehook_bin"]

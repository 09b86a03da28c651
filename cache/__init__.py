"""The cache-aside layer between MySQL and the handlers: what is remembered, under which name, and how it is forgotten.

Models declare keys and lists (`slots`) and read through a `Cache` (`aside`). Nothing here knows a model.
"""

from cache.aside import Cache
from cache.slots import Index, Key, List, Scope, Slot

__all__ = ["Cache", "Index", "Key", "List", "Scope", "Slot"]

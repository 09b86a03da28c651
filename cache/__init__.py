"""The cache-aside layer between MySQL and the handlers: what is remembered, under which name, and how it is forgotten.

Models declare keys and lists (`slots`) and read through a `Cache` (`aside`). Nothing here knows a model.
"""

from cache.aside import MISSING, Cache
from cache.link import Link
from cache.local import Local
from cache.slots import Index, Key, List, Scope, Slot
from cache.tracking import Tracking

__all__ = ["MISSING", "Cache", "Index", "Key", "Link", "List", "Local", "Scope", "Slot", "Tracking"]

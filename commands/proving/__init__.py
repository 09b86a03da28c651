"""How the cache is proven: a model of it, and a history of real processes under faults; see docs/decisions/074."""

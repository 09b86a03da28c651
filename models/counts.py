"""What a process has counted since its start, for whoever has something to count: `COUNTS["boards.applied"] += 1`.

A name is a part of the site and what happened there. It is seen from then on, as `plaza_events_total` (docs/metrics.md); what
shall be seen from the start is set to 0 where its module's constants stand.
"""

from collections import Counter

from cache.counts import Times

COUNTS = Counter[str]()
STATEMENTS = Times()  # of MySQL
REFRESHES = Times()  # of pages in Nginx, from the end of a write to the page that shows it

-- A ranking that a reader has missed, taken off the list.  KEYS: epoch, the rankings that are wanted.  ARGV: epoch.
return redis.call('SPOP', KEYS[2])

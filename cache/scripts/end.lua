-- After COMMIT or ROLLBACK: this writer no longer stands in the way. Where no other does, whatever is there goes: the tombstone, but
-- also a value that was filled after an eviction took the tombstone. It may come twice, late, or without its `begin`.
-- KEYS: epoch, then key and sister of each record, then the scopes.
-- ARGV: epoch, writer (empty: an operator drops these names), 8 random bytes, number of records.
local writer, random, records = ARGV[2], ARGV[3], tonumber(ARGV[4])

for k = 2, 2 * records, 2 do
  local rest, latest = others(get(KEYS[k]), 'T', writer)
  redis.call('DEL', KEYS[k + 1])
  if rest == '' then
    redis.call('DEL', KEYS[k])
  else
    put(KEYS[k], 'T' .. rest, latest - now)
  end
end

for k = 2 * records + 2, #KEYS do
  local rest = others(get(KEYS[k]), 'G', writer)
  put(KEYS[k], 'G' .. random .. rest, GENERATION_TTL)
end
return 'OK'

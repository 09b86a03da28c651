-- After COMMIT or ROLLBACK: this writer no longer stands in the way. Where no other does, whatever is there goes: the tombstone, but
-- also a value that was filled after an eviction took the tombstone. It may come twice, late, or without its `begin`.
-- KEYS: epoch, then key and sister of each record, then the scopes.
-- ARGV: epoch, writer (empty: an operator drops these names), 8 random bytes, number of records.
local writer, random, records = ARGV[2], ARGV[3], tonumber(ARGV[4])

for k = 2, 2 * records, 2 do
  local data = get(KEYS[k])
  local others, latest = '', 0
  if kind(data) == 'T' then
    others, latest = pending(data, 2, writer)
  end
  redis.call('DEL', KEYS[k + 1])
  if others == '' then
    redis.call('DEL', KEYS[k])
  else
    put(KEYS[k], 'T' .. others, latest - now)
  end
end

for k = 2 * records + 2, #KEYS do
  local data = get(KEYS[k])
  local others = kind(data) == 'G' and pending(data, 10, writer) or ''
  put(KEYS[k], 'G' .. random .. others, GENERATION_TTL)
end
return 'OK'

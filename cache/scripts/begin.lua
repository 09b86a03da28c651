-- Just before COMMIT: from now on nobody is answered from these names, and nobody fills them, until `end` or the deadline.
-- KEYS: epoch, then key and sister of each record, then the scopes.  ARGV: epoch, writer, hold in ms, 8 random bytes, records.
local writer, hold, random, records = ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local mine = writer .. struct.pack('>I8', now + hold)

for k = 2, 2 * records, 2 do
  local rest, latest = others(get(KEYS[k]), 'T', writer)
  redis.call('DEL', KEYS[k + 1]) -- tidy, not a guard: a refresh needs a value, and whoever stores one takes the sister away
  put(KEYS[k], 'T' .. rest .. mine, math.max(latest - now, hold))
end

for k = 2 * records + 2, #KEYS do
  local rest = others(get(KEYS[k]), 'G', writer)
  put(KEYS[k], 'G' .. random .. rest .. mine, GENERATION_TTL)
end
return 'OK'

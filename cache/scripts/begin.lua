-- Just before COMMIT: from now on nobody is answered from these names, and nobody fills them, until `end` or the deadline.
-- KEYS: epoch, then key and sister of each record, then the scopes.  ARGV: epoch, writer, hold in ms, 8 random bytes, records.
local writer, hold, random, records = ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local mine = writer .. struct.pack('>I8', now + hold)

for k = 2, 2 * records, 2 do
  local data = get(KEYS[k])
  local others, latest = '', 0
  if kind(data) == 'T' then
    others, latest = pending(data, 2, writer)
  end
  redis.call('DEL', KEYS[k + 1]) -- tidy, not a guard: a refresh needs a value, and whoever stores one takes the sister away
  put(KEYS[k], 'T' .. others .. mine, math.max(latest - now, hold))
end

for k = 2 * records + 2, #KEYS do
  local data = get(KEYS[k])
  local others = kind(data) == 'G' and pending(data, 10, writer) or ''
  put(KEYS[k], 'G' .. random .. others .. mine, GENERATION_TTL)
end
return 'OK'

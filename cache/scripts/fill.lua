-- Store what was loaded, each item by itself, if the right to do so still stands: the lease in its place, or (an early refresh) in the
-- sister beside a value that is not newer. A list also needs the generations it was read under, and no writer in its scopes.
-- KEYS: epoch, then per item: key, sister, its scopes.  ARGV: epoch, token, then per item: record, ttl in ms, number of scopes.
-- Answers per item: stored | superseded (another has filled or is loading) | invalidated (a write came) | expired (nothing stands).
local lease = 'L' .. ARGV[2]

local function version(record)
  return struct.unpack('>I8', record, 5)
end

local function right(standing, record, sister)
  if not standing then
    return 'expired'
  elseif standing == lease or standing == record then -- the same record: this call has been here already
    return 'stored'
  elseif kind(standing) == 'T' then
    return 'invalidated'
  elseif kind(standing) == 'V' and #standing >= 25 and get(sister) == lease
    and (record == 'N' or version(standing) <= version(record)) then
    return 'stored'
  end
  return 'superseded'
end

local answers, k, a = {}, 2, 3
while k <= #KEYS do
  local key, sister, record, scopes = KEYS[k], KEYS[k + 1], ARGV[a], tonumber(ARGV[a + 2])
  local standing = get(key)
  local answer = right(standing, record, sister)
  if answer == 'stored' and scopes > 0 then
    local stamps, writing = generations(k + 2, scopes)
    if writing or stamps ~= stamps_of(record) then
      answer = 'invalidated'
      redis.call('DEL', key, sister)
    end
  end
  if answer == 'stored' then
    if standing ~= record then
      redis.call('SET', key, record, 'PX', ARGV[a + 1])
    end
    redis.call('DEL', sister)
  end
  answers[#answers + 1] = answer
  k, a = k + 2 + scopes, a + 3
end
return answers

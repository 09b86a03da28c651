-- For each name that a reader could not be answered from: what stands there now, or the lease to load it.
-- KEYS: epoch, then per ask: key, sister, its scopes.
-- ARGV: epoch, token, lease in ms, 8 random bytes, then per ask: schema (2 bytes), flag (F forced, N nominated, or empty), scopes.
-- Answers per ask: {'value', bytes, generations} | {'lease', '', generations} | {'busy', rest in ms} | {'bypass'}
--                | {'refresh', bytes, generations}: the value stays, the caller loads it anew.
local token, lease_ms, random = ARGV[2], ARGV[3], ARGV[4]
local lease = 'L' .. token

local function answer(key, sister, schema, flag, stamps, writing)
  if writing then
    return {'bypass'} -- a list must not be stored while one of its scopes is being written
  end
  local data = get(key)
  local what = kind(data)
  if others(data, 'T', '') ~= '' then
    return {'bypass'}
  end
  if what == 'L' and data ~= lease then
    local rest = redis.call('PTTL', key)
    if rest > 0 then
      return {'busy', rest}
    end
  end
  if flag ~= 'F' then
    if data == 'N' then
      return {'value', data, stamps}
    end
    if what == 'V' and string.sub(data, 2, 3) == schema and stamps_of(data) == stamps then
      if flag == 'N' then
        local elected = get(sister)
        if not elected or elected == lease then
          redis.call('SET', sister, lease, 'PX', lease_ms)
          return {'refresh', data, stamps}
        end
      end
      return {'value', data, stamps}
    end
  end
  redis.call('SET', key, lease, 'PX', lease_ms)
  return {'lease', '', stamps}
end

local answers, k, a = {}, 2, 5
while k <= #KEYS do
  local scopes = tonumber(ARGV[a + 2])
  local stamps, writing = generations(k + 2, scopes, random)
  answers[#answers + 1] = answer(KEYS[k], KEYS[k + 1], ARGV[a], ARGV[a + 1], stamps, writing)
  k, a = k + 2 + scopes, a + 3
end
return answers

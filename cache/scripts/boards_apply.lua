-- Bring rankings up to what MySQL holds of some subjects. An entry counts if its version is above what was applied of its subject, so
-- entries may come late, twice, in any order, and from several processes.
-- KEYS: epoch, then per ranking: set, hash, generation.
-- ARGV: epoch, 8 random bytes, then per ranking: end of its window in ms (0: none), entries of 32 bytes (subject,
-- version, moment, points; the least number: none), and of its builder: token (or ''), deadline in ms from now, subject (or '': done).
-- Answers per ranking: applied | absent (nothing was changed) | lost (applied, but another builds it now, or nobody)
local NONE = -2^63
local random = ARGV[2]

local function apply(set, hash, generation, entries)
  local changed = false
  for at = 1, #entries, 32 do
    local subject = string.sub(entries, at, at + 7)
    local old = redis.call('HGET', hash, subject)
    if not old or struct.unpack('>I8', old) < struct.unpack('>I8', entries, at + 8) then
      if not changed then
        redis.call('DEL', generation) -- before all else: once a script has written, Redis does not refuse it for want of memory
        changed = true
      end
      if old then
        redis.call('ZREM', set, string.sub(old, 9, 16) .. subject)
      end
      redis.call('HSET', hash, subject, string.sub(entries, at + 8, at + 23))
      local points = struct.unpack('>i8', entries, at + 24)
      if points > NONE then
        redis.call('ZADD', set, string.format('%.0f', points), string.sub(entries, at + 16, at + 23) .. subject)
      end
    end
  end
  return changed
end

local function build(hash, state, token, lease, subject)
  if string.sub(state, 1, 17) ~= 'B' .. token then
    return 'lost'
  end
  redis.call('HSET', hash, 's', subject == '' and 'D' or 'B' .. token .. struct.pack('>I8', now + lease) .. subject)
  return 'applied'
end

local answers, a = {}, 3
for k = 2, #KEYS, 3 do
  local set, hash, generation = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  local ends, entries, token, lease, subject = tonumber(ARGV[a]), ARGV[a + 1], ARGV[a + 2], tonumber(ARGV[a + 3]), ARGV[a + 4]
  local state, answer = ranking(set, hash), 'applied'
  if state then
    if apply(set, hash, generation, entries) then
      redis.call('HSET', hash, 'n', redis.call('ZCARD', set))
      redis.call('PEXPIRE', set, keep(ends))
      redis.call('PEXPIRE', hash, keep(ends))
      renew(generation, random, ends)
    end
    if token ~= '' then
      answer = build(hash, state, token, lease, subject)
    end
  else
    answer = token ~= '' and 'lost' or 'absent'
  end
  answers[#answers + 1] = answer
  a = a + 5
end
return answers

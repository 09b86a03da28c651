-- Bring rankings up to what MySQL holds of some subjects. An entry counts if its version is above what was applied of its subject, so
-- entries may come late, twice, in any order, and from several processes.
-- KEYS: epoch, then per ranking: set, hash, generation.
-- ARGV: epoch, 8 random bytes, then per ranking: end of its window in ms (0: none), entries of 32 bytes (subject,
-- version, moment, points; the least number: none), and of its builder: token (or ''), deadline in ms from now, subject (or '': done).
-- Answers per ranking: applied | absent (nothing was changed) | lost (applied, but another builds it now, or nobody)
local NONE = -2^63
local SOME = 1000 -- entries; a command takes some thousand arguments
local random = ARGV[2]

-- The next entries, from the byte `first` on, together, so that each kind of command is given once for all
-- of them. Answers whether anything changed, and how many they were.
local function apply_some(set, hash, generation, entries, first)
  local subjects = {}
  for at = first, math.min(#entries, first + 32 * SOME - 1), 32 do
    local subject = string.sub(entries, at, at + 7)
    if subjects[subject] then
      break -- it comes twice: the second time it is compared with what the first has made of it
    end
    subjects[subject], subjects[#subjects + 1] = true, subject
  end
  local known, gone, noted, placed = redis.call('HMGET', hash, unpack(subjects)), {}, {}, {}
  for n, subject in ipairs(subjects) do
    local at, old = first + 32 * (n - 1), known[n]
    if not old or struct.unpack('>I8', old) < struct.unpack('>I8', entries, at + 8) then
      if old then
        gone[#gone + 1] = string.sub(old, 9, 16) .. subject
      end
      noted[#noted + 1] = subject
      noted[#noted + 1] = string.sub(entries, at + 8, at + 23)
      local points = struct.unpack('>i8', entries, at + 24)
      if points > NONE then
        placed[#placed + 1] = points -- a whole number below 2^53 is passed on exactly
        placed[#placed + 1] = string.sub(entries, at + 16, at + 23) .. subject
      end
    end
  end
  if #noted == 0 then
    return false, #subjects
  end
  redis.call('DEL', generation) -- before all else: once a script has written, Redis does not refuse it for want of memory
  if #gone > 0 then
    redis.call('ZREM', set, unpack(gone))
  end
  redis.call('HSET', hash, unpack(noted))
  if #placed > 0 then
    redis.call('ZADD', set, unpack(placed))
  end
  return true, #subjects
end

local function apply(set, hash, generation, entries)
  local changed, at = false, 1
  while at <= #entries do
    local some, count = apply_some(set, hash, generation, entries, at)
    changed, at = changed or some, at + 32 * count
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

-- Stands, behind the prelude, before the scripts of the boards. A ranking is three keys: a sorted set, whose members are the moment of a
-- score and its subject (8 bytes each) under its points; a hash beside it; and a generation, which pages made of the ranking depend on.
-- The hash has, by subject, the version and the moment (8 bytes each) that were applied last; 'n', how many members the set has;
-- and 's', its state: 'D' done, or 'B' being built, with the builder's token (16 bytes), his deadline, and the subject he has come to.

-- The state, or nil: there is no such ranking, or Redis has let go of one half of it.
local function ranking(set, hash)
  local state = redis.call('HGET', hash, 's')
  if state and redis.call('ZCARD', set) == tonumber(redis.call('HGET', hash, 'n')) then
    return state
  end
end

-- How long a ranking is kept, in ms: a day longer than its window lasts.
local DAY = 86400000
local function keep(ends)
  return ends == 0 and 30 * DAY or math.max(0, ends - now) + DAY
end

-- A generation ends with the window of its ranking: what was made of it is then a page of a day that is over.
local function renew(key, random, ends)
  local ttl = ends == 0 and GENERATION_TTL or math.min(GENERATION_TTL, ends - now)
  if ttl > 0 then
    put(key, 'G' .. random, ttl)
    return random
  end
  redis.call('DEL', key)
  return ''
end

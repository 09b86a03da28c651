-- The first of a ranking, and where one subject stands in it with its neighbours, all of one moment.
-- KEYS: epoch, set, hash, generation, the rankings that are wanted.
-- ARGV: epoch, 8 random bytes, end of the window in ms (0: none), how many of the first, subject (or ''), neighbours on each side,
-- the name of this ranking.
-- Answers {done, generation (or ''), members, first (member, points ...), mine} | {building} | {absent}
-- mine: {points, how many are better, how many are worse, place of the first neighbour from 0, how many are better than that one,
-- neighbours (member, points ...)}, or nothing
local set, hash, generation = KEYS[2], KEYS[3], KEYS[4]
local first, subject, neighbours = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local MOST_WANTED = 1000

local state = ranking(set, hash)
if state ~= 'D' then
  -- One that is being built is wanted too: its builder may have been killed.
  if redis.call('SCARD', KEYS[5]) < MOST_WANTED then
    redis.call('SADD', KEYS[5], ARGV[7])
    redis.call('EXPIRE', KEYS[5], 3600)
  end
  return {state and 'building' or 'absent'}
end

local function mine()
  local applied = subject ~= '' and redis.call('HGET', hash, subject)
  local member = applied and string.sub(applied, 9, 16) .. subject
  local points = member and redis.call('ZSCORE', set, member)
  if not points then
    return {}
  end
  local place = redis.call('ZRANK', set, member)
  local from = math.max(0, place - neighbours)
  local around = redis.call('ZRANGE', set, from, place + neighbours, 'WITHSCORES')
  return {
    points, redis.call('ZCOUNT', set, '-inf', '(' .. points), redis.call('ZCOUNT', set, '(' .. points, '+inf'),
    from, redis.call('ZCOUNT', set, '-inf', '(' .. around[2]), around,
  }
end

local stands = get(generation)
local stamp = kind(stands) == 'G' and string.sub(stands, 2, 9) or renew(generation, ARGV[2], tonumber(ARGV[3]))
local top = first > 0 and redis.call('ZRANGE', set, 0, first - 1, 'WITHSCORES') or {}
return {'done', stamp, redis.call('ZCARD', set), top, mine()}

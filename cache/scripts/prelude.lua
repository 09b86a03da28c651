-- Stands before every script but `epoch`. KEYS[1] is the epoch key and ARGV[1] what the caller has seen there: who speaks for
-- another epoch (Redis came back with old data, or was emptied) is refused, before anything is read or written.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('EPOCH this is another epoch')
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) -- ms; no client's clock decides anything
local GENERATION_TTL = 86400000 -- ms; far above any list's

-- What stands there, or false. Something that is no string is none of ours: SET and DEL will take its place.
local function get(key)
  local data = redis.pcall('GET', key)
  return type(data) == 'string' and data
end

local function kind(data)
  return data and string.sub(data, 1, 1)
end

-- The writers in `data` from byte `from` on, 24 bytes each (id, deadline), without `own` and without those whose deadline has
-- passed: they are dead, or their transaction is. Also the last deadline among them.
local function pending(data, from, own)
  local kept, latest = {}, 0
  for at = from, #data - 23, 24 do
    local due = struct.unpack('>I8', data, at + 16)
    if due > now and string.sub(data, at, at + 15) ~= own then
      kept[#kept + 1] = string.sub(data, at, at + 23)
      latest = math.max(latest, due)
    end
  end
  return table.concat(kept), latest
end

-- The other writers that stand in a record of this kind; none where another stands.
local FROM = {T = 2, G = 10}
local function others(data, what, own)
  if kind(data) == what then
    return pending(data, FROM[what], own)
  end
  return '', 0
end

-- The generations of the scopes KEYS[first .. first + count - 1], 8 bytes each, and whether a writer is pending in one of them.
-- Where there is none, `fresh` begins one; without `fresh` the answer is then nil.
local function generations(first, count, fresh)
  local stamps, writing = {}, false
  for i = first, first + count - 1 do
    local data = get(KEYS[i])
    if kind(data) == 'G' and #data >= 9 then
      writing = writing or others(data, 'G', '') ~= ''
    elseif fresh then
      data = 'G' .. fresh
      redis.call('SET', KEYS[i], data, 'PX', GENERATION_TTL)
    else
      return nil, writing
    end
    stamps[#stamps + 1] = string.sub(data, 2, 9)
  end
  return table.concat(stamps), writing
end

-- The stamps that a record V carries, as one string; nil for what is shorter than its head.
local function stamps_of(record)
  if #record >= 25 then
    return string.sub(record, 26, 25 + 8 * string.byte(record, 25))
  end
end

-- DEL before SET: Redis does not refuse a script for want of memory once it has written, and what says "do not trust" must stand.
local function put(key, data, ttl)
  redis.call('DEL', key)
  redis.call('SET', key, data, 'PX', ttl)
end


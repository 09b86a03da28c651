-- The epoch of this Redis, "<run id>:<random>"; begun anew when it is missing (emptied, evicted) or tells of another run (a restart
-- with old data). All other names carry its random part, so what an earlier epoch left cannot be reached.
-- KEYS: the epoch key.  ARGV: random hex digits for a new one.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local epoch = redis.pcall('GET', KEYS[1])
if type(epoch) ~= 'string' or string.sub(epoch, 1, #run + 1) ~= run .. ':' then
  epoch = run .. ':' .. ARGV[1]
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[1], epoch)
end
return epoch

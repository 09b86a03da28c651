-- All of a family is forgotten: from now on its names have another prefix, so what stands under the old ones cannot be reached, and
-- goes by its time to live. The epoch changes with it, so whoever asks under the old names is refused, and learns the new ones.
-- KEYS: epoch.  ARGV: epoch, family.
local epoch, times = string.match(ARGV[1], '^[^ ]+'), 0
for family, before in string.gmatch(ARGV[1], ' ([^ =]+)=(%d+)') do
  if family == ARGV[2] then
    times = before
  else
    epoch = epoch .. ' ' .. family .. '=' .. before
  end
end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], epoch .. ' ' .. ARGV[2] .. '=' .. (times + 1))
return 'OK'

-- A loader failed: whoever asks next may load at once.
-- KEYS: epoch, then key and sister of each name.  ARGV: epoch, token.
local lease = 'L' .. ARGV[2]
for k = 2, #KEYS do
  if get(KEYS[k]) == lease then
    redis.call('DEL', KEYS[k])
  end
end
return 'OK'

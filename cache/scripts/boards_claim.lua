-- The right to build a ranking that is not there, or whose builder has not been heard of: the one who has it goes on where that one was.
-- KEYS: epoch, set, hash, generation.  ARGV: epoch, token, lease in ms, end of the window in ms (0: none).
-- Answers {claim, subject to go on after} | {done} | {busy}
local set, hash = KEYS[2], KEYS[3]
local state, subject = ranking(set, hash), string.rep('\0', 8)

if state == 'D' then
  return {'done'}
end
if state then
  if string.sub(state, 2, 17) ~= ARGV[2] and struct.unpack('>I8', state, 18) > now then
    return {'busy'}
  end
  subject = string.sub(state, 26)
else
  redis.call('DEL', set, hash, KEYS[4])
  redis.call('HSET', hash, 'n', 0)
end
redis.call('HSET', hash, 's', 'B' .. ARGV[2] .. struct.pack('>I8', now + ARGV[3]) .. subject)
redis.call('PEXPIRE', hash, keep(tonumber(ARGV[4])))
return {'claim', subject}

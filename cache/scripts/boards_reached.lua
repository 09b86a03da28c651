-- How far the scores of MySQL have been applied; with a number, note it first.  KEYS: epoch, the mark.  ARGV: epoch, number (or '').
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', 30 * 86400000)
end
return get(KEYS[2]) or ''

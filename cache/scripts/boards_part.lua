-- Some members of a ranking with their points, by place from 0; for comparing it with MySQL.  KEYS: epoch, set, hash.
-- ARGV: epoch, first, last.  Answers nothing where there is no ranking that is done.
if ranking(KEYS[2], KEYS[3]) ~= 'D' then
  return false
end
return redis.call('ZRANGE', KEYS[2], ARGV[2], ARGV[3], 'WITHSCORES')

-- Take rankings away, whatever state they are in.  KEYS: epoch, then all keys of the rankings.  ARGV: epoch.
for k = 2, #KEYS do
  redis.call('DEL', KEYS[k])
end
return 'OK'

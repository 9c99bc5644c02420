-- Keep the latest instant of each tenant, and say what is kept.
-- KEYS: the hash. ARGV: pairs of tenant and instant (epoch ms).
for at = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[at])
  if not known or tonumber(known) < tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  end
end
return redis.call('HGETALL', KEYS[1])

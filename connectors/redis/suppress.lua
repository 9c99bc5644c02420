-- Keep the latest instant of each suppression.
-- KEYS: the tenant's list. ARGV: pairs of field and instant (epoch ms).
for at = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[at])
  if not known or tonumber(known) < tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  end
end

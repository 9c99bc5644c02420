-- Set a share of what is left of a cap aside, rounded up.
-- KEYS: the counter of what was taken. ARGV: the cap, the share (0 to 1), seconds to keep the counter.
local left = tonumber(ARGV[1]) - tonumber(redis.call('GET', KEYS[1]) or '0')
if left <= 0 then return 0 end
local taken = math.ceil(left * tonumber(ARGV[2]))
redis.call('INCRBY', KEYS[1], taken)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return taken

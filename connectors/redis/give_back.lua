-- Put back what was set aside of a cap and not used; a counter that Redis has lost meanwhile is not made anew.
-- KEYS: the counter of what was taken. ARGV: how many.
-- Returns what is taken now. Never below none: a negative count would let more out than the cap, for ever.
local taken = redis.call('GET', KEYS[1])
if not taken then return 0 end
return redis.call('DECRBY', KEYS[1], math.min(tonumber(taken), tonumber(ARGV[1])))

-- Put one attempt in the place of another, if that is what is stored.
-- KEYS: the attempt. ARGV: the one expected, the one that takes its place ('' = none does), seconds to remember it.
-- Returns: what is stored now; '' = nothing.
local known = redis.call('GET', KEYS[1])
if known ~= ARGV[1] then return known or '' end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
return ARGV[2]

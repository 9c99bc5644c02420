-- Begin one contact, unless at this very instant somebody else owns it, it was begun before, it is stopped, or a rate
-- limit is reached. What it answers holds when the provider is called: nothing else decides in between.
-- KEYS: the partition's progress, the stop buttons, the attempt, then one token bucket for each rate limit.
-- ARGV: epoch, now (ms), the attempt, the attempt whose place it takes or '', seconds to remember it,
--       a count and so many scopes of a stop, then for each bucket: tokens a second, most tokens.
-- Returns: 'begun', 'fenced', 'known' and the other attempt, 'paused' and the scope,
--          or 'limited', the number of the bucket and the milliseconds until it has a token.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return { 'fenced' } end
local known = redis.call('GET', KEYS[3])
if known == ARGV[3] then return { 'begun' } end -- this very call had succeeded and its answer was lost
if known and known ~= ARGV[4] then return { 'known', known } end
local now, scopes = tonumber(ARGV[2]), tonumber(ARGV[6])
for at = 7, 6 + scopes do
  if redis.call('HEXISTS', KEYS[2], ARGV[at]) == 1 then return { 'paused', ARGV[at] } end
end
local left = {}
for at = 4, #KEYS do
  local rate, most = tonumber(ARGV[7 + scopes + 2 * (at - 4)]), tonumber(ARGV[8 + scopes + 2 * (at - 4)])
  local bucket = redis.call('HMGET', KEYS[at], 'tokens', 'at')
  -- Another worker's clock may be ahead of this one's. Then no time has gone by, and none is counted a second time.
  local filled, upto = tonumber(bucket[2] or ARGV[2]), math.max(tonumber(bucket[2] or ARGV[2]), now)
  local tokens = math.min(most, tonumber(bucket[1] or ARGV[8 + scopes + 2 * (at - 4)]) + (upto - filled) * rate / 1000)
  if tokens < 1 then return { 'limited', at - 4, math.ceil((1 - tokens) * 1000 / rate) } end
  left[at] = { string.format('%.6f', tokens - 1), math.ceil(most * 1000 / rate) + 1000, string.format('%.0f', upto) }
end
for at = 4, #KEYS do
  redis.call('HSET', KEYS[at], 'tokens', left[at][1], 'at', left[at][3])
  redis.call('PEXPIRE', KEYS[at], left[at][2]) -- full again by then
end
redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[5])
return { 'begun' }

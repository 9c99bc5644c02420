-- Write one batch of one partition as a whole, or refuse it as a whole.
-- KEYS: progress, states, reviews, outbox.
-- ARGV: epoch, batch, the offsets it starts from, the offsets it ends at, outbox, the head of its audit chain,
--       then three counts n and n pairs each: states (key, blob), reviews (instant, key), counters (name, increment);
--       then a count and the keys whose review is cancelled, and a count and the keys whose state is forgotten.
-- Returns: 'written', 'again' (this very write had succeeded and its answer was lost), 'fenced' or 'broken',
--       then the instant of the first review or '', or what was found instead.
local found = redis.call('HMGET', KEYS[1], 'epoch', 'batch', 'offsets')
if found[1] ~= ARGV[1] then return { 'fenced', found[1] or '' } end
local function first_review()
  return redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2] or ''
end
if found[2] == ARGV[2] and found[3] == ARGV[4] then return { 'again', first_review() } end
if tonumber(found[2]) + 1 ~= tonumber(ARGV[2]) or found[3] ~= ARGV[3] then
  return { 'broken', found[2] .. ' at ' .. found[3] }
end
local at = 7
local function each(size, call)
  local last = at + size * tonumber(ARGV[at])
  at = at + 1
  while at <= last do
    local upto = math.min(at + 3999, last) -- unpack() fails above about 8,000 values
    call(at, upto)
    at = upto + 1
  end
end
each(2, function(from, upto) redis.call('HSET', KEYS[2], unpack(ARGV, from, upto)) end)
each(2, function(from, upto) redis.call('ZADD', KEYS[3], unpack(ARGV, from, upto)) end)
each(2, function(from, upto)
  for i = from, upto, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
end)
each(1, function(from, upto) redis.call('ZREM', KEYS[3], unpack(ARGV, from, upto)) end)
each(1, function(from, upto) redis.call('HDEL', KEYS[2], unpack(ARGV, from, upto)) end)
redis.call('SET', KEYS[4], ARGV[5])
redis.call('HSET', KEYS[1], 'batch', ARGV[2], 'offsets', ARGV[4], 'audit', ARGV[6])
return { 'written', first_review() }

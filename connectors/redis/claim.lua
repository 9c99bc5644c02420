-- Take a partition over: raise its epoch, so that every older owner's writes are refused from here on.
-- KEYS: progress, reviews. ARGV: the highest epoch seen elsewhere (in the commit metadata).
-- Returns: epoch, batch, offsets, the instant of the first review or '', the head of its audit chain or ''.
local known = redis.call('HMGET', KEYS[1], 'epoch', 'batch', 'offsets', 'audit')
local epoch = math.max(tonumber(known[1] or '0'), tonumber(ARGV[1])) + 1
redis.call('HSET', KEYS[1], 'epoch', string.format('%d', epoch), 'batch', known[2] or '0', 'offsets', known[3] or '')
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return { epoch, tonumber(known[2] or '0'), known[3] or '', first[2] or '', known[4] or '' }

-- Accept a contact once for its idempotency key.
-- KEYS: the key's memory, the outbox stream.
-- ARGV: provider id, seconds to remember, entries to keep, then the stream entry's fields and values.
-- Returns: the provider id under which the contact was accepted, now or before; 1 = now.
local known = redis.call('GET', KEYS[1])
if known then return { known, 0 } end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, 4))
return { ARGV[1], 1 }

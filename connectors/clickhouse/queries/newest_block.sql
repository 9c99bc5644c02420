-- When the last block of a table was put together.
SELECT toUnixTimestamp64Milli(max(_block_at))
FROM $database.$table

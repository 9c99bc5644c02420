-- Buffered, as inserts may be by default, it would not be there when the next query asks.
INSERT INTO $database.owners (topic, partition, epoch, owner)
SETTINGS async_insert = 0
VALUES $rows

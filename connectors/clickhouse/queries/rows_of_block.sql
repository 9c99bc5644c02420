SELECT count()
FROM $database.$table
WHERE _topic = $topic AND _block = $block

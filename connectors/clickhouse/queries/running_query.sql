-- The local endpoint gives every query an id of its own, and keeps the client's in its log_comment.
SELECT read_rows, total_rows_approx
FROM system.processes
WHERE query_id = $id OR Settings['log_comment'] = $id

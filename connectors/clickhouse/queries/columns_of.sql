-- The columns of every table and view of the database, in order.
SELECT table, groupArray(name), groupArray(type)
FROM
(
    SELECT table, name, type
    FROM system.columns
    WHERE database = $name_of_database AND table IN $names
    ORDER BY table, position
)
GROUP BY table

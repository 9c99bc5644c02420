-- Keys of which two targets of one make do not say the same, or that only one of them has.
SELECT $keys
FROM
(
    SELECT $keys, $values, 1 AS side FROM $database.$target FINAL
    UNION ALL
    SELECT $keys, $values, 2 AS side FROM $database.$other FINAL
)
GROUP BY $keys
HAVING count() != 2 OR $differs
LIMIT 10
SETTINGS max_bytes_before_external_group_by = 1000000000

SELECT
    name AS column,
    type,
    comment AS says
FROM system.columns
WHERE database = {database:String} AND table = {name:String}
ORDER BY position

-- What analysts read: views of finished numbers and the tables that messages land in; not the states behind the views.
SELECT
    name,
    if(engine = 'View', 'view', 'table') AS kind,
    comment AS says
FROM system.tables
WHERE database = {database:String}
    AND engine IN ('View', 'MergeTree', 'ReplacingMergeTree', 'SharedMergeTree', 'ReplicatedMergeTree')
    AND NOT arrayExists(ending -> endsWith(name, ending), ['_states', '_refreshed', '_table'])
    -- A target that is being filled again or worked out once more.
    AND NOT match(name, '__(rebuilt|checked)')
    AND NOT startsWith(name, '.')
ORDER BY kind = 'table', name

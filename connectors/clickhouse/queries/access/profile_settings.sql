ALTER SETTINGS PROFILE $profile SETTINGS
    -- 2: nothing may be written; limits may be lowered, as Grafana and pandas clients do.
    readonly = 2,
    allow_ddl = 0 CONST,
    log_queries = 1 CONST,
    max_execution_time = 60 MIN 1 MAX 300,
    max_memory_usage = 4000000000 MIN 1 MAX 4000000000,
    max_rows_to_read = 2000000000 MIN 1 MAX 2000000000,
    max_concurrent_queries_for_user = 10 MIN 1 MAX 10

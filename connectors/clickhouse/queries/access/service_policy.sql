-- Where a server hides rows from whoever has no policy, the pipeline must still see its own.
CREATE ROW POLICY IF NOT EXISTS recoup_service ON $database.$table USING 1 TO CURRENT_USER

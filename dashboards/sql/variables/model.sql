SELECT DISTINCT model FROM scores_daily WHERE model != '' ORDER BY model

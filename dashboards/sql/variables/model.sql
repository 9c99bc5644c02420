SELECT DISTINCT model FROM scored_models WHERE model != '' ORDER BY model

-- How many scores there are, whenever they were made, and when the newest was.
SELECT count(), toUnixTimestamp64Milli(max(occurred_at))
FROM $database.propensity_scores
WHERE type = 'propensity.scored' AND valid AND ($tenant = '' OR tenant_id = $tenant) AND ($model = '' OR model = $model)

-- Denials a decision in the last 24 hours, against the mean of the 14 days before; tenants with few decisions say nothing.
SELECT
    decided.tenant_id AS tenant,
    (denials / decisions) / nullIf(denials_before / decisions_before, 0) AS value
FROM
(
    SELECT
        tenant_id,
        sumIf(decisions_hourly.decisions, hour > $__toTime - INTERVAL 24 HOUR) AS decisions,
        sumIf(decisions_hourly.decisions, hour <= $__toTime - INTERVAL 24 HOUR) AS decisions_before
    FROM decisions_hourly
    WHERE $__timeFilter(hour)
    GROUP BY tenant_id
    HAVING decisions >= 200 AND decisions_before >= 1000
) AS decided
LEFT JOIN
(
    SELECT
        tenant_id,
        sumIf(denials_hourly.denials, hour > $__toTime - INTERVAL 24 HOUR) AS denials,
        sumIf(denials_hourly.denials, hour <= $__toTime - INTERVAL 24 HOUR) AS denials_before
    FROM denials_hourly
    WHERE $__timeFilter(hour)
    GROUP BY tenant_id
) AS denied ON decided.tenant_id = denied.tenant_id
ORDER BY tenant

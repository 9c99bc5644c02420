SELECT DISTINCT channel FROM contact_funnel_daily WHERE channel != '' ORDER BY channel

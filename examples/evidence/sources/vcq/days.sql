select * from report_daily_summary(since := current_date - 28)

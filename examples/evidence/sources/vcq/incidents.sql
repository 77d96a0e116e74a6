select * from report_incidents(since := current_date - 28)

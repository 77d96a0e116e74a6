select * from report_worst_meetings(since := current_date - 28)

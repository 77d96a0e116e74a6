select * from report_worst_participants(since := current_date - 28)

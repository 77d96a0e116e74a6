select * from report_coverage(since := current_date - 28)

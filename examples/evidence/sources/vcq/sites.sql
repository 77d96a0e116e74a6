select * from report_by_site(since := current_date - 28)

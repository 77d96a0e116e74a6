select * from report_diagnosis(since := current_date - 28)

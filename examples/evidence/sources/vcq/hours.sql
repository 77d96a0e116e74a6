select * from report_heatmap(since := current_date - 28)

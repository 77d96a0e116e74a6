alter table runs add column meeting_nos VARCHAR;

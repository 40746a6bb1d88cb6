mod append;
mod fake_journal;

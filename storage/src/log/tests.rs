mod append;
mod damage;
mod fake_journal;
mod files;
mod lookup;
mod model;
mod retain;

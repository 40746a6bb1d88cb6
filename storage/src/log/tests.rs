mod append;
mod beside;
mod damage;
mod fake_journal;
mod files;
mod lookup;
mod model;
mod retain;

//! What the compared servers share, so that they differ in how they are observed and in nothing else.

pub mod app;
pub mod drive;
pub mod opentelemetry;
pub mod usual;

//! The service: an application like any other, made of the library `redpane`.
//!
//! # Rooms
//!
//! A room uses the rooms that its row names, and no other. No two files import each other.
//!
//! | room | what it holds | uses |
//! |---|---|---|
//! | `main.rs` | arguments in, exit code out | `command`, `settings` |
//! | [`command`] | `serve`, `receiver`, `docker-reader`, `healthcheck`: each runs to its end and gives an exit code | `service`, `settings`, `server` |
//! | [`service`] | builds telemetry, listeners and routes from the settings and runs them | every room below |
//! | [`settings`] | flags and variables; every bad one is named | `version` |
//! | [`server`] | listeners, connections, limits, shutdown, health, process metrics; serves any `Router` | `web` |
//! | `demo` | the API that a user replaces: `/`, `/hello/{name}`, `/echo`, `/checkout`, `/faults` | `settings` (the base URL of the next service), `web`, `version` |
//! | `receiver` | `POST /alerts`: each alert of a webhook becomes a log line | `web` |
//! | `docker_reader` | what a log collector needs of the Docker API: lives of containers and their lines | – |
//! | `web` | what routes share: JSON bodies, the request timeout, answers to unknown paths and methods | – |
//! | `version`, `log_targets` | constants | – |
//!
//! # A service in a test
//!
//! Everything that ends a service or that it listens on is a parameter, so a test runs it on port 0 and ends it when it
//! likes:
//!
//! ```
//! use redpane_service::service;
//! use redpane_service::settings::{Config, Role};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let mut config = Config::defaults(Role::Serve);
//! config.listen = ([127, 0, 0, 1], 0).into();
//! let telemetry = service::telemetry(&config).log_writer(std::io::sink()).build().unwrap();
//! let listeners = service::bind(&config).unwrap();
//! let address = listeners.api_address();
//! let shutdown = async move { drop(tokio::net::TcpStream::connect(address).await) };
//! let ended = service::run(listeners, &config, &telemetry, shutdown, std::future::pending()).await;
//! assert_eq!(ended.cut, 0);
//! # });
//! ```

pub mod command;
mod demo;
mod docker_reader;
mod log_targets;
mod receiver;
pub mod server;
pub mod service;
pub mod settings;
mod version;
mod web;

//! The error of an observed response's body.

use std::error::Error;
use std::fmt;

const PANICKED: &str = "the response body panicked; the log lines of this trace id say where";

/// Why a body of an observed response failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResponseBodyError<E> {
    /// The error of the application's body.
    Body(E),
    /// The application's body panicked.
    Panicked,
}

impl<E: fmt::Display> fmt::Display for ResponseBodyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::Panicked => f.write_str(PANICKED),
        }
    }
}

/// Servers and layers want an error that becomes a boxed one. The application's own error passes unchanged.
impl<E: Into<Box<dyn Error + Send + Sync>>> From<ResponseBodyError<E>> for Box<dyn Error + Send + Sync> {
    fn from(error: ResponseBodyError<E>) -> Self {
        match error {
            ResponseBodyError::Body(error) => error.into(),
            ResponseBodyError::Panicked => PANICKED.into(),
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<ResponseBodyError<E>> for Box<dyn Error> {
    fn from(error: ResponseBodyError<E>) -> Self {
        Box::<dyn Error + Send + Sync>::from(error)
    }
}

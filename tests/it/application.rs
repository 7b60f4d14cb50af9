//! The application's own writes: they never fail because of us, and nothing of them is lost.

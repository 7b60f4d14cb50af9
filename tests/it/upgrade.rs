//! Two releases of the program side by side on one database, behind a load balancer and under load (`scripts/check-upgrade`).

mod balancer;
mod deployment;
mod instance;
mod load;
mod release;
mod rolling;

//! The gallery, its charts and its pages.

mod browser;
mod chart;
mod experiments_noise_and_imbalance;
mod experiments_rate_plateaus_convexity;
mod gallery;
mod mnist;
mod pictures;
mod support;
mod trajectories;

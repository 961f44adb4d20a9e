//! The gallery.

#[path = "../../../report/tests/it/support/browser.rs"]
mod browser;
mod experiments_encoders;
mod experiments_noise_and_imbalance;
mod experiments_rate_plateaus_convexity;
mod experiments_segmentation;
mod gallery;
mod mnist;

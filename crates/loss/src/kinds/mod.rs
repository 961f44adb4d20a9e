//! What the losses of one kind have in common: shapes, reductions, checks of data, and the loops over slices.

pub(crate) mod data;
pub(crate) mod distance;
pub(crate) mod focal;
pub(crate) mod labels;
pub(crate) mod log_ratio;
pub(crate) mod pointwise;
pub(crate) mod rows;
pub(crate) mod softmax_rows;
pub(crate) mod terms;
pub(crate) mod yes_or_no;

pub(crate) use data::Domain;

//! Depositing: start, the task list, a page a task, check and publish. Plain forms; every control's
//! `id` is its name, so that a problem leads to the control that mends it (`controls`).

pub mod controls;
pub mod samples;
pub mod view;

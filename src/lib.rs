//! kho

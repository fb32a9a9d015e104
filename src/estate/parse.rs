//! Reads `estate.yaml` (to be completed).
